import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { reference } from "../../src/config/reference.ts";
import { settingKeys, settings } from "../../src/config/settings.ts";
import type { Program } from "../support/program-file.ts";
import { checkout, run } from "./support/programs.ts";

const cwd = tmpdir();

test("help names every flag with its default and its variable, and the exit statuses", async () => {
  const { status, stdout, stderr } = await run("stillage", ["serve", "--help"], { cwd });
  assert.deepEqual([status, stderr], [0, ""]);
  const text = stdout.replaceAll(/\s+/g, " ");
  for (const key of settingKeys) {
    const { flag, variable, sentence } = settings[key];
    for (const part of [flag ?? "[DIR]", variable, sentence]) assert.ok(text.includes(part), part);
  }
  assert.match(text, /--config <FILE>.*STILLAGE_CONFIG/);
  assert.match(text, /Exit status: 0 .* 1 .* 2 /);
});

test("wrong usage ends with 2 and says what is wrong on standard error", async (t) => {
  const cases: readonly (readonly [Program, readonly string[], RegExp])[] = [
    ["stillage", [], /Usage: stillage/],
    ["stillage", ["sevre"], /^stillage: unknown command 'sevre'\n\(Did you mean serve\?\)/],
    ["stillage", ["--sevre"], /^stillage: unknown option '--sevre'/],
    ["stillage", ["config"], /Usage: stillage config/],
    ["stillage", ["config", "shwo"], /^stillage: unknown command 'shwo'/],
    ["stillage", ["serve", "--quota"], /^stillage: .*--quota.* argument missing/],
    ["stillage", ["serve", "a", "b"], /^stillage: b: /],
    ["stillage", ["serve", "--services=half", "--durability", "yes"], /--services: .*\n.*--durability: /],
    ["stillage", ["serve", ""], /^stillage: DIR: /],
    ["bst-artifact-server", [], /^bst-artifact-server: .*--port/],
    ["bst-artifact-receive", ["/srv"], /^bst-artifact-receive: .*--pull-url/],
    ["bst-artifact-receive", ["--pull-url", "cache", "/srv"], /'cache' is invalid\. It is a URL of http or https/],
    ["bst-artifact-receive", ["--pull-url", "http://a", "--server", "a", "/srv"], /--server: "a" is no URL/],
  ];
  for (const [program, args, said] of cases) {
    await t.test([program, ...args].join(" "), async () => {
      const { status, stdout, stderr } = await run(program, args, { cwd });
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, said);
    });
  }
});

test("the version is the package's", async () => {
  const { version } = JSON.parse(await readFile(`${checkout}/package.json`, "utf8")) as { version: string };
  for (const word of ["--version", "version"]) {
    assert.deepEqual(await run("stillage", [word], { cwd }), { status: 0, stdout: `${version}\n`, stderr: "" });
  }
});

test("docs/CONFIGURATION.md is up to date (scripts/config-reference.ts writes it)", async () => {
  assert.equal(await readFile(`${checkout}/docs/CONFIGURATION.md`, "utf8"), reference());
});
