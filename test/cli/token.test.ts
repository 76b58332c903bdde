import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createToken, writeAccess } from "./support/access.ts";
import { newFolder } from "./support/folder.ts";
import { run } from "./support/programs.ts";

const rules = [
  { who: "anyone", may: "pull" },
  { who: { token: "ci-*" }, may: ["push"], instances: ["main", ""] },
];

test("tokens are made, listed and revoked; the file has none of them", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await writeAccess(cwd, rules);
  const token = (...args: string[]) => run("stillage", ["token", ...args, "--access", "access.yaml"], { cwd });

  const first = await createToken(cwd, "ci-1");
  const second = await createToken(cwd, "ci-2", "--expires", "90d");
  assert.notEqual(first, second);
  const file = await readFile(join(cwd, "tokens"), "utf8");
  assert.ok(!file.includes(first) && !file.includes(first.slice("stillage_".length)), "the file has the token");

  const lonely = await token("create", "other");
  assert.match(lonely.stderr, /no rule of \S+access.yaml gives other a right yet: - who: \{ token: other \}/);
  const day = /^\d{4}-\d\d-\d\d$/;
  const rows = (await token("list")).stdout.trimEnd().split("\n");
  const [one = [], two = [], three = []] = rows.map((row) => row.split("\t"));
  assert.deepEqual([one[0], one[2], one[3]], ["ci-1", "never", 'push in main, ""']);
  assert.match(two[2] ?? "", day);
  assert.deepEqual([three[0], three[3]], ["other", "none"]);
  const json = JSON.parse((await token("list", "--json")).stdout) as { name: string; expired: boolean }[];
  assert.deepEqual(
    json.map(({ name, expired }) => [name, expired]),
    [
      ["ci-1", false],
      ["ci-2", false],
      ["other", false],
    ],
  );

  assert.deepEqual(await token("revoke", "ci-1"), { status: 0, stdout: "", stderr: "" });
  assert.equal((await token("list")).stdout.includes("ci-1"), false);
});

test("what is wrong is said, and changes nothing", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await writeAccess(cwd, rules);
  await createToken(cwd, "ci-1");
  const before = await readFile(join(cwd, "tokens"), "utf8");
  await writeFile(join(cwd, "bare.yaml"), "rights:\n- who: anyone\n  may: pull\n");
  await writeFile(join(cwd, "bad.yaml"), "rights:\n- who: anyone\n  may: pulll\n");
  for (const [args, why] of [
    [["create", "ci-1", "--access", "access.yaml"], /there is a token ci-1 already; revoke it first/],
    [["create", "a b", "--access", "access.yaml"], /"a b" is no name for a token/],
    [["create", "x", "--expires", "soon", "--access", "access.yaml"], /--expires: "soon" is not a time/],
    [["create", "x", "--expires", "0s", "--access", "access.yaml"], /--expires: no time at all/],
    [["create", "--access", "access.yaml"], /missing required argument 'NAME'/],
    [["create", "x", "y", "--access", "access.yaml"], /too many arguments/],
    [["create", "x", "--acess", "access.yaml"], /unknown option '--acess'/],
    [["revoke", "ci-2", "--access", "access.yaml"], /there is no token "ci-2"; did you mean ci-1\?/],
    [["list"], /no access file is named; name the server's with --access FILE or --config FILE/],
    [["list", "--access", "bare.yaml"], /bare.yaml names no file of tokens; add a line such as `tokens: tokens.txt`/],
    [["list", "--access", "bad.yaml"], /bad.yaml:3:8: rights.may: "pulll" is not one of/],
  ] as const) {
    const outcome = await run("stillage", ["token", ...args], { cwd });
    assert.equal(outcome.status, 2, `${args}: ${outcome.stderr}`);
    assert.match(outcome.stderr, why);
  }
  assert.equal(await readFile(join(cwd, "tokens"), "utf8"), before);
});

test("the access file of the server's configuration is the one that is meant", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await writeAccess(cwd, rules);
  await writeFile(join(cwd, "stillage.yaml"), "access: access.yaml\n");
  const options = { cwd, env: { STILLAGE_CONFIG: "stillage.yaml" } };
  assert.equal((await run("stillage", ["token", "create", "ci-1"], options)).status, 0);
  assert.match((await run("stillage", ["token", "list", "--config", "stillage.yaml"], { cwd })).stdout, /^ci-1\t/);
  const check = await run("stillage", ["config", "check"], options);
  assert.equal(check.status, 0, check.stderr);
  await writeFile(join(cwd, "tokens"), "rubbish\n");
  const broken = await run("stillage", ["config", "check"], options);
  assert.equal(broken.status, 2);
  assert.match(broken.stderr, /tokens:1: this is not NAME sha256:HASH CREATED EXPIRES/);
});
