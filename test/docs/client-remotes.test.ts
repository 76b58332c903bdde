import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { checkout } from "../clients/support/checkout.ts";
import { runProgram } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/CLIENT.md"), "utf8");
const blocks = blocksOf(/^## Remotes$[\s\S]*?(?=^## |$(?![\s\S]))/m.exec(page)?.[0] ?? "");
const block = (begin: string): string => blocks.find(({ text }) => text.startsWith(begin))?.text ?? "";

const files = {
  "home/.config/stillage/client.yaml": block("# client.yaml").replace(/^# client.yaml\n/, ""),
  "home/.config/buildstream.conf": "artifacts:\n  servers:\n  - url: https://cache.example.com:11001\n    push: true\n",
  "harbour/project.conf":
    "name: harbour\nmin-version: 2.0\nartifacts:\n- url: https://cache.project.example\n- url: https://cache.example.com:11001\n  push: true\n",
};

test("the list of remotes, and a mistake in a project", async () => {
  await using workspace = await createWorkspace();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(workspace.path, dirname(path)), { recursive: true });
    await writeFile(join(workspace.path, path), text);
  }
  const [program, ...words] = block("stillage remote list").trim().split(" ");
  assert.equal(program, "stillage");
  const env = { PATH: process.env.PATH, HOME: join(workspace.path, "home") };
  const run = () => runProgram(process.execPath, [programFile("stillage"), ...words], { cwd: workspace.path, env });
  const shown = (text: string): string => text.replaceAll(`${workspace.path}/`, "");

  const listed = await run();
  assert.equal(shown(listed.stdout), block("1\t"));
  assert.deepEqual([listed.status, listed.stderr], [0, ""]);

  await writeFile(join(workspace.path, "harbour/project.conf"), files["harbour/project.conf"].replace("push", "pusj"));
  const refused = await run();
  assert.equal(shown(refused.stderr), block("stillage: harbour"));
  assert.deepEqual([refused.status, refused.stdout], [2, ""]);
});
