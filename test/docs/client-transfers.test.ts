import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openLocalCache } from "../../src/client/local/open-local-cache.ts";
import { copyArtifact, copyBudget } from "../../src/client/transfer/copy-artifact.ts";
import { holdArtifact, memoryPlace } from "../../src/client/transfer/memory-place.fixture.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk, runProgram } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/CLIENT.md"), "utf8");
const blocks = blocksOf(/^## Transfers$[\s\S]*?(?=^## |$(?![\s\S]))/m.exec(page)?.[0] ?? "");

test("a push, a pull and a mirror", async () => {
  await using workspace = await createWorkspace();
  const source = memoryPlace();
  const key = "4be2c7a0d1f98e6b5c3a29170f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c";
  const artifact = { ...holdArtifact(source, { key, files: { "top.txt": "top" } }), keys: [key] };
  await using office = await openLocalCache(join(workspace.path, "office"));
  const options = { optional: "none", budget: copyBudget(), signal: new AbortController().signal } as const;
  await copyArtifact(artifact, [source], office, options);
  await using server = await startServer(await workspace.folder("store"));
  const [lines = "", printed] = blocks.map(({ text }) => text);
  const told: string[] = [];
  for (const line of lines.trim().replaceAll("127.0.0.1:11001", server.address).split("\n")) {
    const [program, ...words] = line.split(" ").map((word) => word.replaceAll("'", ""));
    assert.equal(program, "stillage");
    const env = { PATH: process.env.PATH, HOME: workspace.path };
    const { status, stdout, stderr } = await runProgram(process.execPath, [programFile("stillage"), ...words], {
      cwd: workspace.path,
      env,
    });
    assert.deepEqual([status, stderr], [0, ""], line);
    told.push(stdout);
  }
  const even = (text = "") => text.replace(/\t(?:\S*\/)?harbour\.tar\t\d+\t\d+$/m, "\tharbour.tar\t0\t0");
  assert.equal(even(told[2]), even(printed));
  assert.ok((await readdir(join(workspace.path, "home/artifacts/refs/harbour/app"))).includes(key));
  await runOk("tar", ["-tf", join(workspace.path, "harbour.tar"), `artifacts/refs/harbour/app/${key}`]);
});
