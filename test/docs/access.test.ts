import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeKeyPair } from "../cli/support/key-pair.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "docs/ACCESS.md"), "utf8"));
const accessFiles = blocks.filter(({ text }) => text.startsWith("# access.yaml"));

const stillage = (cwd: string, words: readonly string[]): Promise<string> =>
  runOk(process.execPath, [programFile("stillage"), ...words], { cwd });

test("every access file, and the listeners beside it, pass `stillage config check`", async () => {
  assert.equal(accessFiles.length, 2);
  const listeners = blocks.find(({ text }) => text.startsWith("listeners:"))?.text ?? "";
  for (const { text } of accessFiles) {
    await using workspace = await createWorkspace();
    const cwd = await workspace.folder("etc");
    for (const name of ["server", "clients"]) await makeKeyPair(cwd, name);
    await writeFile(join(cwd, "keys.json"), '{"keys":[]}');
    await writeFile(join(cwd, "access.yaml"), text.replace(/keys: \S+/, "keys: keys.json"));
    await writeFile(join(cwd, "stillage.yaml"), listeners);
    await stillage(cwd, ["config", "check", "--config", "stillage.yaml"]);
  }
});

test("the commands make, list and revoke a token", async () => {
  await using workspace = await createWorkspace();
  const cwd = await workspace.folder("etc");
  await writeFile(join(cwd, "access.yaml"), accessFiles[0]?.text ?? "");
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"));
  assert.equal(commands.length, 3);
  const said: string[] = [];
  for (const command of commands) {
    const [program, ...words] = command.split(" ");
    assert.equal(program, "stillage");
    said.push(await stillage(cwd, words));
  }
  assert.match(said[0] ?? "", /^stillage_/);
  assert.match(said[1] ?? "", /^ci-1\t/);
  assert.equal(await stillage(cwd, ["token", "list", "--access", "access.yaml"]), "");
});

test("the line of the access log has the fields of one", () => {
  const line = blocks.find(({ language }) => language === "json")?.text ?? "";
  const fields = ["time", "id", "who", "peer", "call", "instance", "what", "status", "in", "out", "ms"];
  assert.deepEqual(Object.keys(JSON.parse(line)), fields);
});
