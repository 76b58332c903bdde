import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { showFormat } from "../../src/release/bst-show.ts";
import { readRepositorySettings } from "../../src/release/repository-settings.ts";
import { serve } from "../cli/support/programs.ts";
import { pushArtifact } from "../cli/support/push-artifact.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/RELEASES.md"), "utf8");
const blocks = blocksOf(page);

/** What is run before the part about signing, which has a test of its own. */
const before = (text: string): boolean =>
  !page.includes("\n## Signing") || page.indexOf(text) < page.indexOf("\n## Signing");

test("the commands of docs/RELEASES.md make, show and copy releases", async () => {
  await using workspace = await createWorkspace();
  const [cwd, bin] = [await workspace.folder("work"), await workspace.folder("bin")];
  const store = join(cwd, "cache");
  const key = `9f31${"0".repeat(60)}`;
  {
    await using server = await serve("stillage", ["serve", store, "--listen", "127.0.0.1:0"], { cwd });
    const endpoint = openEndpoint(`http://${server.listeners[0]?.address}`);
    await pushArtifact(endpoint, "harbour/base", key, "#!/bin/sh\n");
    await endpoint.channel.close();
  }
  const program = (name: string, text: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program("stillage", `exec ${process.execPath} ${programFile("stillage")} "$@"`);
  // What the format of the page makes of one element.
  const values = { name: "base.bst", "full-key": key, kind: "manual", "source-info": "[]", "build-deps": "[]" };
  const shown = showFormat.replace(/%\{([a-z-]+)\}/g, (_, name: keyof typeof values) => values[name] ?? "[]");
  writeFileSync(join(cwd, "shown"), shown);
  program("bst", `[ "$5" = '${showFormat}' ] || exit 9; cat '${join(cwd, "shown")}'`);
  mkdirSync(join(cwd, "image"));
  writeFileSync(join(cwd, "image/disk"), "an image");
  writeFileSync(join(cwd, "sbom.spdx.json"), '{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT"}');
  const releases = join(cwd, "releases");
  const env = { PATH: `${bin}:${process.env.PATH}`, STILLAGE_RELEASES: releases, STILLAGE_STORE: store };
  const script = blocks.filter(({ language, text }) => language === "sh" && before(text)).map(({ text }) => text);
  assert.ok(script.length >= 5);
  const said = await runOk("bash", ["-euc", script.join("\n")], { cwd, env });
  assert.match(said, /^os\/stable 1\.0: [0-9a-f]{64} published$/m);
  assert.match(said, /^os\/stable: [0-9a-f]{64} published: Roll back to 1\.0$/m);
  assert.match(said, /^3 branches changed, /m);
});

test("the repository.yaml of docs/RELEASES.md is one", async () => {
  await using workspace = await createWorkspace();
  const file = join(workspace.path, "repository.yaml");
  writeFileSync(file, blocks.find(({ text }) => text.startsWith("# repository.yaml"))?.text ?? "");
  const settings = readRepositorySettings(file);
  assert.ok("title" in settings, JSON.stringify(settings));
  assert.equal(settings.checks.length, 1);
});
