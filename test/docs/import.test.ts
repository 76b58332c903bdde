import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseArgs } from "node:util";
import { putDirectory } from "../../src/cache/tree.fixture.ts";
import { OldFolder } from "../../src/import/old-cache.fixture.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/IMPORT.md"), "utf8");

test("the commands import, and serve what was imported", async () => {
  const lines =
    blocksOf(page)
      .find(({ language }) => language === "sh")
      ?.text.trim()
      .split("\n") ?? [];
  const commands = lines.filter((line) => line.startsWith("stillage "));
  assert.equal(commands.length, 3);
  await using workspace = await createWorkspace();
  using old = new OldFolder();
  old.reference("p/e", await putDirectory(old, { file: "content" }));
  const store = join(workspace.path, "store");
  const here = (line: string): string[] =>
    line.replaceAll("/srv/artifacts", old.path).replaceAll("/var/lib/stillage", store).split(" ").slice(1);
  for (const line of commands.slice(0, 2)) {
    const said = await runOk(process.execPath, [programFile("stillage"), ...here(line)], { cwd: checkout });
    assert.match(said, /references +1 of 1 (would be )?taken/);
  }
  const { positionals } = parseArgs({ args: here(commands[2] ?? ""), allowPositionals: true });
  assert.deepEqual(positionals, ["serve", store]);
  await using server = await startServer(store);
  assert.equal((await fetch(`http://${server.address}/healthz`)).status, 200);
});

test("every flag of the command stands there, and no other", async () => {
  const help = await runOk(process.execPath, [programFile("stillage"), "store", "import", "--help"], { cwd: checkout });
  const flagsIn = (text: string) => new Set([...text.matchAll(/(?<=[\s`(])--[a-z][a-z-]+/g)].map(([flag]) => flag));
  const ofHelp = flagsIn(help);
  ofHelp.delete("--help");
  const elsewhere = ["--index-only", "--inplace"]; // of other programs
  const ofPage = [...flagsIn(page)].filter((flag) => !elsewhere.includes(flag));
  assert.deepEqual(ofPage.sort(), [...ofHelp].sort());
});
