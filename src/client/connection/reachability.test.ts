import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { remoteAt } from "../remote-spec.fixture.ts";
import { openReachability } from "./reachability.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const start = Date.UTC(2026, 0, 1);
const dead = remoteAt("https://dead.example.com");

/** A memory at a path of its own, and each look at it as a new command has it. */
function memory(t: { after(end: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), "stillage-reachability-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "state", "stillage", "unreachable.json");
  let now = start;
  const open = () => openReachability(path, () => now);
  return {
    path,
    open,
    pass: (ms: number) => {
      now += ms;
    },
    pauseOf: (spec = dead) => {
      const blocked = open().blocked(spec);
      return blocked === undefined ? undefined : blocked.until - now;
    },
  };
}

test("each failure in a row doubles the pause, up to an hour", async (t) => {
  const { open, pass, pauseOf } = memory(t);
  assert.equal(pauseOf(), undefined);
  const pauses: number[] = [];
  for (let i = 0; i < 9; i++) {
    await open().failed(dead, "connection refused");
    const pause = pauseOf() ?? 0;
    pauses.push(pause);
    pass(pause - 1);
    assert.ok(pauseOf() !== undefined, "a moment before its end it is left alone");
    pass(1);
    assert.equal(pauseOf(), undefined, "then it may be tried");
  }
  assert.deepEqual(
    pauses,
    [0.5, 1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * minute),
  );
});

test("a secret in a URL is not written down, and makes it another remote", async (t) => {
  const { open, path, pauseOf } = memory(t);
  const [one, other] = ["one", "other"].map((token) => remoteAt(`https://any:${token}@dead.example.com/ostree`));
  await open().failed(one as typeof dead, "no answer");
  assert.deepEqual([pauseOf(one) === undefined, pauseOf(other) === undefined], [false, true]);
  const written = readFileSync(path, "utf8");
  assert.deepEqual([written.includes("any:"), written.includes('"https://dead.example.com/ostree"')], [false, true]);
});

test("it says since when and why", async (t) => {
  const { open, pass } = memory(t);
  await open().failed(dead, "connection refused");
  pass(31 * second);
  await open().failed(dead, "x".repeat(10_000));
  const blocked = open().blocked(dead);
  assert.deepEqual(blocked, { until: start + 91 * second, since: start, why: "x".repeat(300) });
});

test("a server that answered is as new, and so is one that was not tried for a day", async (t) => {
  const { open, pass, pauseOf } = memory(t);
  for (let i = 0; i < 5; i++) {
    await open().failed(dead, "no answer");
    pass(pauseOf() ?? 0);
  }
  await open().reached(dead);
  await open().failed(dead, "no answer");
  assert.equal(pauseOf(), 30 * second);
  pass(minute);
  await open().failed(dead, "no answer");
  assert.equal(pauseOf(), minute);
  pass(24 * hour);
  await open().failed(dead, "no answer");
  assert.equal(pauseOf(), 30 * second);
});

test("commands that fail at the same time count once", async (t) => {
  const { open, pauseOf } = memory(t);
  const commands = [open(), open(), open()];
  for (const command of commands) await command.failed(dead, "no answer");
  assert.equal(pauseOf(), 30 * second);
});

test("a command goes by what it found when it began, and by what it finds out itself", async (t) => {
  const { open, pauseOf } = memory(t);
  const [one, other] = [open(), open()];
  await one.failed(dead, "no answer");
  assert.equal(other.blocked(dead), undefined);
  assert.ok(one.blocked(dead) !== undefined);
  await one.reached(dead);
  assert.equal(one.blocked(dead), undefined);
  assert.equal(pauseOf(), undefined);
});

test("another user, another instance and another URL are other servers, push or not is none", async (t) => {
  const { open, pauseOf } = memory(t);
  await open().failed(dead, "no answer");
  assert.equal(pauseOf(remoteAt("https://other.example.com")), undefined);
  assert.equal(pauseOf(remoteAt(dead.url, { instanceName: "main" })), undefined);
  assert.equal(pauseOf(remoteAt(dead.url, { auth: { ...dead.auth, accessToken: "/token" } })), undefined);
  assert.equal(pauseOf(remoteAt(dead.url, { push: true, name: "dead", type: "storage" })), 30 * second);
});

test("clear forgets all", async (t) => {
  const { open, pauseOf } = memory(t);
  const command = open();
  await command.failed(dead, "no answer");
  await command.clear();
  assert.equal(command.blocked(dead), undefined);
  assert.equal(pauseOf(), undefined);
});

test("a clock that was wrong keeps no server away", async (t) => {
  const { open, pass, pauseOf } = memory(t);
  pass(100 * hour);
  await open().failed(dead, "no answer");
  pass(-50 * hour);
  assert.equal(pauseOf(), undefined);
});

test("a broken file is as none, and is replaced", async (t) => {
  const { path, open, pauseOf } = memory(t);
  const entry = { url: "u", failures: 1, since: start, last: start, until: start + 1, why: "w" };
  const broken = [
    "",
    "\0".repeat(100),
    "[]",
    "null",
    '{"version":1}',
    '{"version":1,"servers":[1]}',
    JSON.stringify({ version: 2, servers: { [dead.url]: entry } }),
    JSON.stringify({ version: 1, servers: { [dead.url]: { ...entry, until: "soon" } } }),
    JSON.stringify({ version: 1, servers: { [dead.url]: { ...entry, failures: -1 } } }),
    `{"version":1,"servers":{"${dead.url}":{"url":"u`,
    " ".repeat(2 << 20),
  ];
  mkdirSync(dirname(path), { recursive: true });
  for (const content of broken) {
    writeFileSync(path, content);
    assert.equal(pauseOf(), undefined, content.slice(0, 60));
    await open().failed(dead, "no answer");
    assert.equal(pauseOf(), 30 * second, content.slice(0, 60));
  }
});

test("where nothing can be written, a command remembers for itself", async (t) => {
  const { path, open } = memory(t);
  writeFileSync(dirname(dirname(path)), "in the way");
  const command = open();
  await command.failed(dead, "no answer");
  assert.ok(command.blocked(dead) !== undefined);
  await command.clear();
  assert.equal(open().blocked(dead), undefined);
});

test("processes at the same time lose nothing of each other's, also where one is killed", async (t) => {
  const { path, open } = memory(t);
  const program = `
    import { openReachability } from ${JSON.stringify(new URL("./reachability.ts", import.meta.url).href)};
    const memory = openReachability(${JSON.stringify(path)}, () => ${start});
    const [name, count] = process.argv.slice(1);
    const spec = (i) => ({ url: \`https://\${name}.example.com:\${i}\`, instanceName: "", auth: {} });
    for (let i = 0; i < Number(count); i++) {
      await memory.failed(spec(i), "no answer");
      if (i === 3) process.stdout.write("going\\n");
    }`;
  const victim = spawn(process.execPath, ["--input-type=module", "-e", program, "victim", "1000000"]);
  await once(victim.stdout, "data");
  const memoryNow = open();
  const fail = (name: string, i: number) => memoryNow.failed(remoteAt(`https://${name}.example.com:${i}`), "no answer");
  for (let i = 0; i < 20; i++) await fail("one", i);
  victim.kill("SIGKILL");
  for (let i = 0; i < 20; i++) await fail("two", i);
  for (const name of ["one", "two"]) {
    for (let i = 0; i < 20; i++)
      assert.ok(open().blocked(remoteAt(`https://${name}.example.com:${i}`)), `${name} ${i}`);
  }
  await memoryNow.failed(dead, "no answer");
  assert.ok(open().blocked(dead) !== undefined);
  JSON.parse(readFileSync(path, "utf8"));
  const left = readdirSync(dirname(path)).filter((name) => !/^unreachable\.json(\.lock|\.\d+)?$/.test(name));
  assert.deepEqual(left, []);
});
