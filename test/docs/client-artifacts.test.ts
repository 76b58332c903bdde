import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type CachedArtifact, fillCache } from "../cli/support/cache-with-artifacts.ts";
import { checkout } from "../clients/support/checkout.ts";
import { type ProgramResult, runProgram } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/CLIENT.md"), "utf8");
const blocks = blocksOf(/^## Artifacts$[\s\S]*?(?=^## |$(?![\s\S]))/m.exec(page)?.[0] ?? "");
const commands = blocks
  .filter(({ text }) => text.startsWith("stillage "))
  .flatMap(({ text }) => text.trim().split("\n"));

const artifact = (key: string, berth: string): CachedArtifact => ({
  name: "harbour/app",
  key: key.padEnd(64, "0123456789abcdef"),
  files: { opt: { app: { "berth.txt": berth, "app.txt": "the app\n" } } },
});

test("artifacts are listed, checked out and compared as the page says", async () => {
  await using workspace = await createWorkspace();
  const { path: cwd } = workspace;
  await fillCache(join(cwd, "cache"), [artifact("5d", "berth 7\n")]);
  cpSync(join(cwd, "cache"), join(cwd, "copy"), { recursive: true });
  const run = (line: string): Promise<ProgramResult> => {
    const words = line.split(" ").slice(1);
    const env = { PATH: process.env.PATH, HOME: join(cwd, "home") };
    return runProgram(process.execPath, [programFile("stillage"), ...words], { cwd, env });
  };
  const outcomes: [command: string, outcome: ProgramResult][] = [];
  for (const line of commands) {
    // The second build is there where they are compared.
    if (line.includes("/c1")) await fillCache(join(cwd, "cache"), [artifact("c1", "berth 77\n")]);
    outcomes.push([line, await run(line)]);
  }
  const [list, out, tar, diff, same] = outcomes.map(([, outcome]) => outcome);
  for (const [line, { status, stderr }] of outcomes) {
    assert.deepEqual([status, stderr], [line.includes("/c1") ? 1 : 0, ""], line);
  }
  const timeless = (text = ""): string => text.replace(/\t\d{4}-[-0-9T:.]+Z\t/, "\tTIME\t");
  assert.equal(timeless(list?.stdout), timeless(blocks.find(({ text }) => text.startsWith("harbour\tapp"))?.text));
  assert.deepEqual([out?.stdout, tar?.stdout, same?.stdout], ["", "", ""]);
  assert.equal(diff?.stdout, blocks.find(({ text }) => text.startsWith("key strong"))?.text);
  assert.equal(readFileSync(join(cwd, "out/opt/app/berth.txt"), "utf8"), "berth 7\n");
  assert.deepEqual(readdirSync(cwd).sort(), ["app.tar.gz", "cache", "copy", "out"]);
});
