import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { run } from "./support/programs.ts";

const wrongFile = `store: 5
quoat: 10G
quota: 10X
listeners:
- adress: 127.0.0.1:1
- address: 127.0.0.1:99999
  push: maybe
  tls: {certificate: a}
- address: "[::1]:0"
instances: [blobs, a//b, good, good]
services: [all]
grace: 1000h
durability: of
`;

test("config check reports every problem at once, each with where it is", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "wrong.yaml"), wrongFile);
  const env = { STILLAGE_QUOAT: "1G", STILLAGE_LOG_LEVEL: "loud" };
  const outcome = await run("stillage", ["config", "check", "--config", "wrong.yaml", "--grase", "--quota=-1"], {
    cwd: folder.path,
    env,
  });
  assert.equal(outcome.status, 2);
  assert.equal(outcome.stdout, "");
  const expected = [
    /^stillage: wrong.yaml:2:1: quoat: .*did you mean quota\?$/,
    /^stillage: wrong.yaml:3:8: quota: "10X" is not a size/,
    /^stillage: wrong.yaml:5:3: listeners.adress: .*did you mean address\?$/,
    /^stillage: wrong.yaml:5:3: listeners: address is missing$/,
    /^stillage: wrong.yaml:6:12: listeners.address: "127.0.0.1:99999" is not an address/,
    /^stillage: wrong.yaml:7:9: listeners.push: "maybe" is not true or false$/,
    /^stillage: wrong.yaml:8:8: listeners.tls: key is missing$/,
    /^stillage: wrong.yaml:10:13: instances: "blobs" is not an instance name/,
    /^stillage: wrong.yaml:10:20: instances: "a\/\/b" is not an instance name/,
    /^stillage: wrong.yaml:10:32: instances: "good" is there twice$/,
    /^stillage: wrong.yaml:11:11: services: \["all"\] is not one of all, index, storage$/,
    /^stillage: wrong.yaml:12:8: grace: "1000h" is not a time/,
    /^stillage: wrong.yaml:13:13: durability: "of" is not one of on, off/,
    /^stillage: STILLAGE_QUOAT: .*did you mean STILLAGE_QUOTA\?$/,
    /^stillage: STILLAGE_LOG_LEVEL: "loud" is not one of/,
    /^stillage: --grase: .*did you mean --grace\?$/,
    /^stillage: --quota: "-1" is not a size/,
  ];
  const lines = outcome.stderr.trimEnd().split("\n");
  for (const line of expected)
    assert.ok(
      lines.some((each) => line.test(each)),
      `${line}\n${outcome.stderr}`,
    );
  assert.equal(lines.length, expected.length, outcome.stderr);
});

test("what is no mapping of settings is one problem", async (t) => {
  await using folder = await newFolder();
  const file = join(folder.path, "some.yaml");
  const bad: readonly (readonly [string, RegExp])[] = [
    ["- store", /some.yaml:1:1: /],
    ["store", /some.yaml:1:1: /],
    ["store: a\nstore: b\n", /some.yaml:2:1: /],
    ["store: [a\n", /some.yaml:\d+:\d+: /],
    ["store: 'a\n", /some.yaml:\d+:\d+: /],
    ["store: *nowhere\n", /some.yaml:1:\d+: /],
    ["store: a\n--- \nstore: b\n", /some.yaml:\d+:1: /],
    ["\tstore: a\n", /some.yaml:1:\d+: /],
    ["quota:\n", /some.yaml:\d+:\d+: quota: has no value/],
    [`${"[".repeat(20_000)}`, /some.yaml:\d+:\d+: /],
    [`# ${"x".repeat(2 << 20)}`, /some.yaml is larger than/],
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".concat(...billionLaughs()), /some.yaml:1:1: /],
  ];
  for (const [text, problem] of bad) {
    await t.test(text.slice(0, 30), async () => {
      await writeFile(file, text);
      const { status, stdout, stderr } = await run("stillage", ["config", "check", "--config", file], {
        cwd: folder.path,
      });
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, problem);
      assert.doesNotMatch(stderr, /\n {4}at /);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});

test("a file that is not there is a problem of whoever named it", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const byFlag = await run("stillage", ["config", "check", "--config", "none.yaml"], { cwd });
  assert.deepEqual([byFlag.status, /^stillage: --config: none.yaml cannot be read/.test(byFlag.stderr)], [2, true]);
  const byVariable = await run("stillage", ["config", "check"], { cwd, env: { STILLAGE_CONFIG: "none.yaml" } });
  assert.equal(byVariable.status, 2);
  assert.match(byVariable.stderr, /^stillage: STILLAGE_CONFIG: none.yaml cannot be read/);
});

test("config check tries certificates, and says that all is well where it is", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const text = "listeners:\n- address: 127.0.0.1:0\n  tls: {certificate: server.crt, key: server.key}\n";
  await writeFile(join(cwd, "stillage.yaml"), text);
  const before = await run("stillage", ["config", "check", "--config", "stillage.yaml"], { cwd });
  assert.equal(before.status, 2);
  assert.match(before.stderr, /server\.crt cannot be read/);
  await makeKeyPair(cwd, "server");
  const after = await run("stillage", ["config", "check", "--config", "stillage.yaml"], { cwd });
  assert.deepEqual(after, { status: 0, stdout: "stillage.yaml is fine\n", stderr: "" });
});

test("config check finds what is wrong at every stage in one run, in the order of the file, and says what is doubtful", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const text = `quota: 10X
listeners:
- address: 127.0.0.1:0
  tls: {certificate: server.crt, key: server.key}
access: access.yaml
access-log: absent/access.log
scrub-rate: 0
limits: [{ instance: nobody, size: 1G }]
`;
  await writeFile(join(cwd, "stillage.yaml"), text);
  const { status, stderr } = await run("stillage", ["config", "check", "--config", "stillage.yaml"], { cwd });
  assert.equal(status, 2);
  assert.deepEqual(
    stderr
      .trimEnd()
      .split("\n")
      .map((line) => /^stillage: (?:stillage.yaml:)?(\S+?):(?:\d+:)? /.exec(line)?.[1]),
    ["1", "3", "5", "6", "7", "8"],
    stderr,
  );
  assert.match(stderr, /server\.crt cannot be read[\s\S]*access\.yaml[\s\S]*there is no directory .*absent\n/);
  assert.match(stderr, /scrub-rate: "0" is not a size of at least 65536 bytes, such as 20MiB\n/);
  assert.match(stderr, /limits: the instance "nobody" is none of those that are served \(the server starts/);
  const small = await run("stillage", ["config", "check", "--quota", "500K"], { cwd });
  assert.deepEqual([small.status, small.stdout], [0, "The configuration is fine\n"]);
  assert.match(small.stderr, /^stillage: --quota: quota: 500K is very little for a cache/);
});

test("variables of others that begin like ours are no problem", async () => {
  await using folder = await newFolder();
  const env = { STILLAGE_PORT: "tcp://10.0.0.1:11001", STILLAGE_SERVICE_HOST: "10.0.0.1", STILLAGE_QUOTA: "" };
  const { status, stderr } = await run("stillage", ["config", "check"], { cwd: folder.path, env });
  assert.equal(stderr, "");
  assert.equal(status, 0);
});

/** Lists of ten aliases each, seven deep: ten million values, were they to be made. */
function billionLaughs(): string[] {
  return [1, 2, 3, 4, 5, 6].map(
    (depth) =>
      `a${depth}: &a${depth} [${Array(10)
        .fill(`*a${depth - 1}`)
        .join(", ")}]\n`,
  );
}
