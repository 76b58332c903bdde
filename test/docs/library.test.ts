import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openClient } from "../../src/client/library/open-client.ts";
import { openArtifactTar } from "../../src/client/local/open-artifact-tar.ts";
import type { Place } from "../../src/client/place.ts";
import { copyArtifact, copyBudget } from "../../src/client/transfer/copy-artifact.ts";
import { holdArtifact, memoryPlace } from "../../src/client/transfer/memory-place.fixture.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runProgram } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "docs/LIBRARY.md"), "utf8"));
const examples = blocks.flatMap(({ language, text }, i) =>
  language === "ts" ? [{ program: text, prints: blocks[i + 1]?.text ?? "" }] : [],
);

const files = { "top.txt": "top", etc: { "app.conf": "colour: blue" } };

test("the examples of the library", async () => {
  await using workspace = await createWorkspace();
  await using first = await startServer(await workspace.folder("first"));
  await using second = await startServer(await workspace.folder("second"));
  await providePackage(workspace);
  await provideArtifacts(workspace, first.address);
  assert.equal(examples.length, 6);
  const env = { PATH: process.env.PATH, HOME: workspace.path, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
  const printed: string[] = [];
  for (const [i, { program }] of examples.entries()) {
    const file = join(workspace.path, `example-${i}.ts`);
    const ours = program.replaceAll("127.0.0.1:11001", first.address).replaceAll("127.0.0.1:11002", second.address);
    await writeFile(file, ours);
    const options = { cwd: workspace.path, env };
    const { status, stdout, stderr } = await runProgram(process.execPath, [file], options);
    printed.push(status === 0 ? stdout : stderr);
  }
  assert.deepEqual(
    printed,
    examples.map(({ prints }) => prints),
  );
  const checkedOut = await readFile(join(workspace.path, "app/etc/app.conf"), "utf8");
  assert.equal(checkedOut, "colour: blue");
  assert.ok(await stat(join(workspace.path, "harbour.tar")));
});

/** `stillage`, as an npm package has it. */
async function providePackage(workspace: Workspace): Promise<void> {
  const folder = join(workspace.path, "node_modules/stillage");
  await mkdir(folder, { recursive: true });
  await symlink(join(checkout, "src"), join(folder, "src"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", exports: "./src/library.ts" }));
  await writeFile(join(workspace.path, "package.json"), JSON.stringify({ type: "module" }));
}

/** An artifact on the first server, and a builder that takes those of the pipeline from an archive. */
async function provideArtifacts(workspace: Workspace, address: string): Promise<void> {
  const source = memoryPlace();
  const signal = new AbortController().signal;
  const put = (key: string, element: string, to: Place) => {
    const artifact = { ...holdArtifact(source, { key, element, files }), keys: [key.repeat(16)] };
    return copyArtifact(artifact, [source], to, { optional: "none", budget: copyBudget(), signal });
  };
  {
    await using client = await openClient({
      remotes: [`http://${address}`],
      environment: { HOME: workspace.path },
    });
    const [server] = await client.remotes();
    assert.ok(server);
    await put("4be2", "app", server);
    await using built = await openArtifactTar(join(workspace.path, "built.tar"), "write");
    await put("7d0e", "lib", built);
    await put("5af1", "app", built);
  }
  const builder = join(workspace.path, "build-into-cache");
  const program = `'${process.execPath}' '${programFile("stillage")}'`;
  await writeFile(builder, `#!/bin/sh\nexec ${program} mirror built.tar cache "$1"\n`);
  await chmod(builder, 0o755);
}
