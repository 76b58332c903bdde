import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { type OpenCache, openCache } from "../../src/cache/open-cache.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { programFile } from "../support/program-file.ts";
import { blobsOf, refNameOf } from "./backup-pushes.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const program = (name: string): string => join(import.meta.dirname, name);
const stillage = programFile("stillage");
const options = { quota: undefined, durability: "on", clock: systemClock, log: silentLog } as const;

/** A process that pushes into a store, and what it has said. */
class Writer {
  readonly has = new Set<number>();
  readonly removing = new Set<number>();
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly ended: Promise<unknown>;
  private wanted = { count: 0, resolve: (): void => {} };

  constructor(store: string) {
    this.child = spawn(process.execPath, [program("backup-writer.ts"), store], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = once(this.child, "close");
    createInterface(this.child.stdout).on("line", (line) => {
      const [what, number] = line.split(" ");
      (what === "has" ? this.has : this.removing).add(Number(number));
      if (this.has.size >= this.wanted.count) this.wanted.resolve();
    });
  }

  /** Resolves once so many more pushes have been acknowledged. */
  more(pushes: number): Promise<void> {
    return new Promise((resolve) => {
      this.wanted = { count: this.has.size + pushes, resolve };
    });
  }

  async stop(): Promise<void> {
    this.child.stdin.write("stop\n");
    await this.ended;
  }
}

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [stillage, "store", ...args], { encoding: "utf8" });
}

/** Without blocking this process, which reads what the writer says. */
async function runBeside(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [stillage, "store", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (piece) => (said[name] += piece));
  const [status] = await once(child, "close");
  return { status, ...said };
}

/** Whether a ref is there, and then all that it needs is there and whole. */
async function isWhole({ refs, store }: OpenCache, number: number): Promise<boolean> {
  const ref = await refs.get(refNameOf(number));
  if (ref === undefined) return false;
  assert.equal(Buffer.from(ref.message).toString(), `${number}`);
  for (const { digest, bytes } of blobsOf(number)) {
    assert.deepEqual(store.tenant("").missing(DigestList.of(digest)), [], `a blob of push ${number}`);
    assert.equal(Buffer.compare(await read(store.tenant(""), digest), bytes), 0);
  }
  return true;
}

test("a backup beside pushes and removals has all that was acknowledged before and not removed", {
  timeout: 90_000,
}, async () => {
  await using directory = await temporaryDirectory();
  const [store, backup] = [join(directory.path, "store"), join(directory.path, "backup")];
  const writer = new Writer(store);
  await writer.more(200);
  for (const round of [1, 2]) {
    await writer.more(100);
    const before = [...writer.has].filter((number) => !writer.removing.has(number));
    const made = await runBeside("backup", backup, "--store", store, "--json");
    assert.deepEqual([made.status, made.stderr], [0, ""]);
    const after = new Set(writer.removing);
    const said = JSON.parse(made.stdout);
    const target = join(directory.path, `restored-${round}`);
    const restored = await runBeside("restore", backup, "--store", target, "--json");
    assert.deepEqual([restored.status, restored.stderr], [0, ""]);
    const { refs, damagedBlobs, verified } = JSON.parse(restored.stdout);
    assert.deepEqual([refs, damagedBlobs, verified], [said.refs, 0, true]);
    const cache = await openCache(target, options);
    let count = 0;
    for (const number of before) {
      const whole = await isWhole(cache, number);
      assert.ok(whole || after.has(number), `push ${number} was acknowledged before the backup began`);
      if (whole) count++;
    }
    // Of what came while it was made, what is there is whole, too.
    for (const number of writer.has) if (!before.includes(number) && !after.has(number)) await isWhole(cache, number);
    assert.ok(count > 100, `${count} of ${before.length} refs`);
    await cache.close();
  }
  await writer.stop();
  assert.ok(!existsSync(join(store, "backup")));
});

test("a backup or a restore that is killed is known for what it is, and the next one comes to its end", {
  timeout: 90_000,
}, async () => {
  await using directory = await temporaryDirectory();
  const [store, backup, target] = ["store", "backup", "target"].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ];
  const writer = new Writer(store);
  await writer.more(150);
  await writer.stop();
  const kept = [...writer.has].filter((number) => !writer.removing.has(number));
  const killAt = async (what: string, from: string, to: string, step: number): Promise<string> => {
    const args = [program("backup-runner.ts"), what, from, to, `${step}`];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const piece of child.stdout) {
      said += String(piece);
      child.kill("SIGKILL");
    }
    return said.trim();
  };
  const killed: string[] = [];
  for (const step of [0, 1, 3, 6]) {
    killed.push(await killAt("backup", store, backup, step));
    const refused = run("restore", backup, "--store", target);
    assert.deepEqual([refused.status, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /^stillage: .*backup is a backup that was not made to its end\nstillage: run /);
  }
  assert.deepEqual(killed, ["linked", "refs read", "file copied", "file copied"]);
  assert.ok(existsSync(join(store, "backup/links")));
  // A start of the server cleans up what the last one has left.
  await (await openCache(store, options)).close();
  assert.ok(!existsSync(join(store, "backup")));
  const made = run("backup", backup, "--store", store);
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  assert.match(made.stdout, new RegExp(`^${backup}: ${kept.length} refs, 1 packs and \\d+ large blobs, .* copied\n$`));

  for (const step of [0, 1, 4]) {
    assert.equal(await killAt("restore", backup, target, step), "file copied");
    await assert.rejects(openCache(target, options), { code: "failed-precondition", message: /"restoring"|not empty/ });
  }
  const restored = run("restore", backup, "--store", target);
  assert.deepEqual([restored.status, restored.stderr], [0, ""]);
  const cache = await openCache(target, options);
  for (const number of kept) assert.ok(await isWhole(cache, number), `push ${number}`);
  await cache.close();
});

test("a disk that is full is what a backup says, and an older one stays whole", { timeout: 60_000 }, async () => {
  await using directory = await temporaryDirectory();
  const [store, backup] = [join(directory.path, "store"), join(directory.path, "backup")];
  const cache = await openCache(store, options);
  const put = async (...numbers: number[]): Promise<void> => {
    for (const number of numbers) {
      for (const { digest, bytes } of blobsOf(number)) await cache.store.tenant("").put(digest, bytes);
      const ref = { ...refNameOf(number), message: Buffer.from(`${number}`), roots: [], stored: 1, expires: undefined };
      await cache.refs.put([ref]);
    }
  };
  await put(1, 2);
  assert.equal(run("backup", backup, "--store", store).status, 0);
  await put(7);
  await cache.close();
  const limited = `ulimit -f 512; exec "${process.execPath}" "${stillage}" store backup "${backup}" --store "${store}"`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", limited], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^stillage: cannot copy tenants\/@\/sha256\/files\/.*: the disk is full \(EFBIG\)\n$/);
  const restored = run("restore", backup, "--store", join(directory.path, "restored"));
  // The small blob of the third push is at the end of a pack, and nothing there leads to it.
  assert.match(restored.stdout, /: 2 refs of .*, 3 blobs \(all verified\)/);
});
