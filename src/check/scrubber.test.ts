import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Digest, digestOf } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { filezOfSize } from "../base/filez.fixture.ts";
import { silentLog } from "../base/log.ts";
import { type DiskStore, openDiskStore } from "../store/disk/open-store.ts";
import { Scrubber, type ScrubTimer } from "./scrubber.ts";

const day = 24 * 3_600_000;

let directory: string;
let store: DiskStore;
let now: number;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "stillage-scrub-"));
  now = 1_800_000_000_000;
  store = await openDiskStore(directory, { durability: "off", clock: () => now, log: silentLog });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function put(size: number): Promise<Digest> {
  const bytes = randomBytes(size);
  const digest = digestOf(sha256, bytes);
  await store.tenant("").put(digest, bytes);
  return digest;
}

/** Waiting takes no time here, and the clock goes on by what was to be waited. `stopAt` ends the wait for good at the given one. */
function timer(stopAt = Number.POSITIVE_INFINITY): ScrubTimer & { readonly stopped: Promise<void> } {
  const stopped = Promise.withResolvers<void>();
  let [ms, waits] = [0, 0];
  return {
    stopped: stopped.promise,
    now: () => ms,
    wait: (pause, signal) =>
      new Promise((resolve, reject) => {
        ms += pause;
        now += pause;
        const abort = (): void => reject(signal.reason);
        if (signal.aborted) abort();
        signal.addEventListener("abort", abort);
        if (++waits < stopAt) setImmediate(resolve);
        else stopped.resolve();
      }),
  };
}

/** Reads the store until a round has ended, and says what came of it. */
async function round(maxRate = 1 << 30) {
  const ended = Promise.withResolvers<void>();
  const errors: object[] = [];
  const log = { ...silentLog, info: () => ended.resolve(), error: (fields: object) => errors.push(fields) };
  const options = { directory, shelves: () => store.shelves(), everyMs: day, maxRate, clock: () => now, log };
  const scrubber = new Scrubber({ ...options, timer: timer() });
  await ended.promise;
  await scrubber.close();
  return { ...scrubber.counts(), errors };
}

function missing(digests: readonly Digest[]): number[] {
  const list = new DigestList(sha256);
  for (const digest of digests) list.push(digest);
  return store.tenant("").missing(list);
}

const shelf = (): string => join(directory, "tenants", "@", "sha256");

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 4;
  writeFileSync(path, bytes);
}

const largeFile = (): string =>
  readdirSync(join(shelf(), "files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))[0] as string;

/** Without durability a large blob is journaled a while after it was acknowledged. */
async function settle(): Promise<void> {
  await store.close();
  store = await openDiskStore(directory, { durability: "off", clock: () => now, log: silentLog });
}

describe("the scrubber", () => {
  it("finds nothing wrong with what is whole, and counts it all", async () => {
    const digests = [await put(1), await put(5000), await put(1 << 20), await put(3_000_000), await put(700_000)];
    const { blobs, bytes, rotten, errors, progress, lastEnded } = await round();
    assert.deepEqual([blobs, rotten, errors.length, progress], [digests.length, 0, 0, 1]);
    assert.ok(bytes >= 4_700_000 && lastEnded !== undefined);
    assert.deepEqual(missing(digests), []);
    assert.equal(readdirSync(directory).includes("quarantine"), false);
  });

  it("inflates the file objects of OSTree, and drops those that are not what they should be", async () => {
    const made = [5000, 300_000, 2_000_000, 2_500_000, 700].map(filezOfSize);
    const all = made.map(({ hash, bytes }) => ({ function: ostree, hash, size: bytes.length }));
    for (const [i, { bytes }] of made.entries()) await store.tenant("").put(all[i] as Digest, bytes);
    await settle();
    const own = join(directory, "tenants", "@", "ostree");
    const pack = join(own, "packs/00000001.pack");
    const [small, large] = [made[1], made[3]] as [(typeof made)[0], (typeof made)[0]];
    flip(pack, readFileSync(pack).indexOf(small.bytes) + 100_000);
    const names = readdirSync(join(own, "files"), { recursive: true, encoding: "utf8" });
    flip(join(own, "files", names.find((name) => name.includes(large.hash)) as string), 1_000_000);
    const { rotten, errors, blobs } = await round();
    assert.deepEqual([rotten, errors.length, blobs], [2, 2, 5]);
    const list = new DigestList(ostree);
    for (const digest of all) list.push(digest);
    assert.deepEqual(store.tenant("").missing(list), [1, 3]);
    const kept = readdirSync(join(directory, "quarantine")).filter((name) => name.endsWith(".bytes"));
    assert.equal(kept.length, 2);
  });

  it("drops what is rotten and keeps its bytes, with what they should have been", async () => {
    const digests = [await put(4000), await put(5000), await put(2_000_000), await put(6000)];
    await settle();
    flip(join(shelf(), "packs", "00000001.pack"), 16 + 4000 + 90 + 700);
    flip(largeFile(), 1_999_999);
    const removals = store.removals();
    const { rotten, errors } = await round();
    assert.equal(rotten, 2);
    assert.deepEqual(missing(digests), [1, 2]);
    assert.ok(store.removals() > removals, "what was complete may not be so any more");
    const kept = readdirSync(join(directory, "quarantine")).sort();
    assert.deepEqual(
      kept.map((name) => name.replace(/.*\./, "")),
      ["bytes", "json", "bytes", "json"],
    );
    const told = kept
      .filter((name) => name.endsWith("json"))
      .map((name) => JSON.parse(readFileSync(join(directory, "quarantine", name), "utf8")));
    assert.deepEqual(
      told.map(({ blob }) => blob.split("/")[0]),
      [digests[1]?.hash, digests[2]?.hash],
    );
    assert.equal(errors.length, 2);
    assert.equal((await round()).rotten, 0);
  });

  it("notices a large blob whose file is gone, and an index file that does not verify", async () => {
    const digests = [await put(4000), await put(2_000_000)];
    await settle();
    unlinkSync(largeFile());
    flip(join(shelf(), "packs", "00000001.idx"), 40);
    const { rotten, damagedIndexes } = await round();
    assert.deepEqual([rotten, damagedIndexes], [1, 1]);
    assert.deepEqual(missing(digests), [1]);
  });

  it("tries three times, over an hour and more, to read what cannot be read, before it drops it", async () => {
    const digests = [await put(2_000_000)];
    await settle();
    const path = largeFile();
    unlinkSync(path);
    symlinkSync("/proc/self/mem", path); // at whose beginning nothing is, which is an EIO
    const first = await round();
    assert.deepEqual([first.rotten, first.readErrors, missing(digests)], [0, 1, []]);
    const began = now;
    const dropped = Promise.withResolvers<void>();
    const log = {
      ...silentLog,
      error: (_: object, message: string) => /quarantined/.test(message) && dropped.resolve(),
    };
    now += day;
    const options = {
      directory,
      shelves: () => store.shelves(),
      everyMs: day,
      maxRate: 1 << 30,
      clock: () => now,
      log,
    };
    const scrubber = new Scrubber({ ...options, timer: timer() });
    await dropped.promise;
    await scrubber.close();
    assert.ok(now - began > day + 70 * 60_000);
    assert.equal(scrubber.counts().readErrors, 3);
    assert.deepEqual(missing(digests), [0]);
  });

  it("reads a large blob that is on its way to its place, as without durability it may be", async () => {
    const digests = await Promise.all([put(2_000_000), put(3_000_000)]);
    const { rotten, errors } = await round();
    assert.deepEqual([rotten, errors, missing(digests)], [0, [], []]);
  });

  it("never gives up what is refused for another reason than the disk", async () => {
    const digests = [await put(2_000_000)];
    await settle();
    const path = largeFile();
    unlinkSync(path);
    mkdirSync(path);
    const [began, stopping] = [now, timer(300)];
    const options = { directory, shelves: () => store.shelves(), everyMs: day, maxRate: 1 << 30, clock: () => now };
    const scrubber = new Scrubber({ ...options, log: silentLog, timer: stopping });
    await stopping.stopped;
    await scrubber.close();
    assert.ok(now - began > 4 * 3_600_000);
    assert.deepEqual([scrubber.counts().readErrors, missing(digests)], [1, []]);
  });

  it("says nothing of a pack, or of its index, that a compaction deletes meanwhile", async () => {
    const blobs: Digest[] = [];
    for (let i = 0; i < 30; i++) blobs.push(await put(1 << 17));
    const stopping = timer(5);
    let deleted = false;
    const wait: ScrubTimer["wait"] = async (ms, signal) => {
      await stopping.wait(ms, signal);
      if (deleted) return;
      deleted = true;
      for (const digest of blobs.slice(0, 29)) await store.tenant("").remove(digest);
      await store.compact();
    };
    const ended = Promise.withResolvers<void>();
    const errors: unknown[] = [];
    const log = { ...silentLog, info: () => ended.resolve(), error: (...what: unknown[]) => errors.push(what) };
    const options = {
      directory,
      shelves: () => store.shelves(),
      everyMs: day,
      maxRate: 1 << 20,
      clock: () => now,
      log,
    };
    const before = store.shelves()[0]?.shelf.packs.newest;
    const scrubber = new Scrubber({ ...options, timer: { now: stopping.now, wait } });
    await ended.promise;
    await scrubber.close();
    assert.ok(deleted && before !== undefined && store.shelves()[0]?.shelf.packs.at(before.slot) !== before);
    assert.deepEqual([errors, scrubber.counts().damagedIndexes, missing(blobs.slice(29))], [[], 0, []]);
  });

  it("goes on where what it has done cannot be written down", async () => {
    mkdirSync(join(directory, "scrub.json", "in the way"), { recursive: true });
    const digest = await put(4000);
    const { blobs, lastEnded } = await round();
    assert.ok(blobs === 1 && lastEnded !== undefined);
    assert.deepEqual(missing([digest]), []);
  });

  it("goes on after an error, and says where the store is too large for its rate", async () => {
    for (let i = 0; i < 4; i++) await put(1 << 20);
    const ended = Promise.withResolvers<number>();
    const [warnings, errors]: [string[], string[]] = [[], []];
    const log = {
      ...silentLog,
      info: () => ended.resolve(warnings.length),
      warn: (_: object, message: string) => void warnings.push(message),
      error: (_: object, message: string) => void errors.push(message),
    };
    let asked = 0;
    const shelves = () => {
      if (asked++ === 1) throw new Error("once");
      return store.shelves();
    };
    const options = { directory, shelves, everyMs: 1000, maxRate: 1 << 20, clock: () => now, log, timer: timer() };
    const scrubber = new Scrubber(options);
    assert.equal(await ended.promise, 1, "once in a round");
    await scrubber.close();
    assert.equal(errors.length, 1);
    assert.match(warnings[0] ?? "", /scrub-rate/);
  });

  it("goes on where it was before a restart", async () => {
    for (let i = 0; i < 30; i++) await put(1 << 17);
    const options = {
      directory,
      shelves: () => store.shelves(),
      everyMs: day,
      maxRate: 1 << 20,
      clock: () => now,
      log: silentLog,
    };
    const stopping = timer(5);
    const first = new Scrubber({ ...options, timer: stopping });
    await stopping.stopped;
    await first.close();
    const second = await round();
    const read = first.counts().blobs + second.blobs;
    assert.ok(
      first.counts().blobs > 5 && read >= 30 && read <= 31,
      `${first.counts().blobs} and ${second.blobs} blobs were read`,
    );
  });

  it("counts as no use of a blob", async () => {
    const digest = await put(4000);
    const used = (): number | undefined => {
      const index = store.shelves()[0]?.shelf.index;
      return index?.used(index.find(DigestList.of(digest).words, 0));
    };
    const before = used();
    now += 10 * day;
    await round();
    assert.equal(used(), before);
  });
});
