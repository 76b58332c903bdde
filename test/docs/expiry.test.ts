import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "../cli/support/folder.ts";
import { run, serve } from "../cli/support/programs.ts";
import { checkout } from "../clients/support/checkout.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "docs/EXPIRY.md"), "utf8"));

test("the configuration of docs/EXPIRY.md is one, and its commands work beside a server that has it", async () => {
  await using folder = await newFolder();
  const options = { cwd: folder.path };
  const yaml = blocks.find(({ language }) => language === "yaml");
  assert.ok(yaml);
  await writeFile(join(folder.path, "expiry.yaml"), yaml.text);
  const args = ["serve", "cache", "--config", "expiry.yaml", "--listen", "127.0.0.1:0"];
  await using _ = await serve("stillage", args, options);
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"));
  assert.ok(commands.length > 0);
  for (const command of commands) {
    const [program, ...words] = command.split(" ");
    assert.equal(program, "stillage");
    const { status, stderr } = await run("stillage", words, options);
    assert.equal(status, 0, `${command}\n${stderr}`);
  }
});
