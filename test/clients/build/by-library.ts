import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { openClient } from "../../../src/client/library/open-client.ts";
import type { Project } from "../support/project.ts";
import type { Machine } from "./machine.ts";

/** What the library says of servers and elements, and a build by it. The machine's one server has `base.bst`, and takes pushes. */
export async function buildByLibrary(project: Project, { folder }: Machine): Promise<void> {
  const sources = [{ kind: "local", path: "files/part0" }];
  const element = { kind: "import", sources, "build-depends": ["base.bst"] };
  await writeFile(join(project.folder, "elements/by-library.bst"), stringify(element));
  await using client = await openClient({
    directory: project.folder,
    bst: join(folder, "bin/bst"),
    environment: { HOME: join(folder, "home") },
  });
  const [check, ...others] = await client.check();
  assert.deepEqual([check?.error, check?.shortcomings, others], [undefined, [], []]);
  const elements = await client.elements(["by-library.bst"]);
  assert.deepEqual(
    elements.map(({ name, kind, buildDependencies }) => [name, kind, buildDependencies]),
    [
      ["base.bst", "import", []],
      ["by-library.bst", "import", ["base.bst"]],
    ],
  );
  const told: string[] = [];
  const { outcomes, pushes, ended } = await client.build(["by-library.bst"], {
    onEvent: ({ kind }) => told.push(kind),
  });
  assert.deepEqual(
    [...outcomes].map(([name, { kind }]) => [name, kind, pushes.get(name)]),
    [
      ["base.bst", "pulled", "present"],
      ["by-library.bst", "built", "pushed"],
    ],
  );
  assert.equal(ended, undefined);
  assert.equal(told.filter((kind) => kind === "settled").length, 2);
  const [pushed] = await client.findAll(`wide/by-library/${elements[1]?.key}`, {
    in: client.configuration.remotes[0]?.name,
  });
  assert.equal(pushed?.project, "wide");
}
