import assert from "node:assert/strict";
import { closeSync, cpSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Digest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { silentLog } from "../../base/log.ts";
import { blob, listOf, read, readBatch } from "../blob-store.contract.ts";
import type { FaultPoint } from "./faults.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";
import { packHeaderLength } from "./pack.ts";
import { ReadOnlyTenant } from "./read-only-store.ts";

/** Small enough that packs have 4 MiB. */
const quota = 28 << 20;

interface Opened extends AsyncDisposable {
  readonly path: string;
  disk: DiskStore;
  onFault: (point: FaultPoint) => void;
  open(): Promise<void>;
  reopen(): Promise<void>;
}

async function opened(durability: "on" | "off" = "on", clock = () => 1e12, at?: string): Promise<Opened> {
  const path = at ?? (await mkdtemp(join(tmpdir(), "store-")));
  const reach = (point: FaultPoint): void => test.onFault(point);
  const open = (): Promise<DiskStore> =>
    openDiskStore(path, { durability, quota, clock, log: silentLog, faults: { reach } });
  const test: Opened = {
    path,
    disk: await open(),
    onFault: () => {},
    open: async () => {
      test.disk = await open();
    },
    reopen: async () => {
      await test.disk.close();
      await test.open();
    },
    [Symbol.asyncDispose]: async () => {
      await test.disk.close();
      rmSync(path, { recursive: true });
    },
  };
  return test;
}

type Blob = ReturnType<typeof blob>;

async function put(test: Opened, count: number, size: number): Promise<Blob[]> {
  const blobs = Array.from({ length: count }, () => blob(sha256, size));
  await Promise.all(blobs.map(({ digest, bytes }) => test.disk.tenant("t").put(digest, bytes)));
  return blobs;
}

function remove(test: Opened, blobs: readonly Blob[]): Promise<unknown> {
  return Promise.all(blobs.map(({ digest }) => test.disk.tenant("t").remove(digest)));
}

async function check(test: Opened, there: readonly Blob[], gone: readonly Blob[]): Promise<void> {
  const store = test.disk.tenant("t");
  for (const { digest, bytes } of there) assert.deepEqual(await read(store, digest), bytes);
  assert.equal(store.missing(listOf(gone.map(({ digest }) => digest))).length, gone.length);
}

function packsIn(test: Opened): string[] {
  return readdirSync(join(test.path, "tenants/t/sha256/packs")).sort();
}

/** Bytes of the files of a store's tenants. */
function bytesOf(path: string): number {
  return readdirSync(join(path, "tenants"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

const some = (blobs: readonly Blob[], every: number): Blob[] => blobs.filter((_, i) => i % every === 0);
const others = (blobs: readonly Blob[], every: number): Blob[] => blobs.filter((_, i) => i % every !== 0);

describe("compaction", () => {
  for (const durability of ["on", "off"] as const) {
    it(`gives the room of removed blobs back and keeps the others, durability ${durability}`, async () => {
      await using test = await opened(durability);
      const blobs = await put(test, 200, 50_000);
      assert.equal(packsIn(test).filter((name) => name.endsWith(".pack")).length, 3);
      await remove(test, others(blobs, 4));
      const before = test.disk.usage();
      assert.equal(before.live + before.dead, before.bytes);
      assert.ok(before.dead > 7_500_000 && before.dead < 7_600_000);
      const done = await test.disk.compact();
      assert.ok(done.packs === 3 && done.copied === 2_500_000 && done.freed > 7_000_000, JSON.stringify(done));
      assert.equal(before.bytes - test.disk.usage().bytes, done.freed - packHeaderLength);
      assert.ok(test.disk.usage().bytes < 3_000_000);
      await check(test, some(blobs, 4), others(blobs, 4));
      const { bytes, live, dead } = test.disk.usage();
      assert.deepEqual([bytes, dead], [live, 0]);
      assert.deepEqual(test.disk.usageByTenant(), new Map([["t", { blobs: 50, live, dead }]]));
      await test.reopen();
      assert.ok(Math.abs(bytesOf(test.path) - bytes) < 10_000, `${bytesOf(test.path)} on disk, ${bytes} counted`);
      assert.ok(Math.abs(test.disk.usage().bytes - bytes) < 10_000);
      await check(test, some(blobs, 4), others(blobs, 4));
    });
  }

  it("deletes packs of which nothing is live, also the one that is written, and goes on", async () => {
    await using test = await opened();
    const blobs = await put(test, 100, 50_000);
    await remove(test, blobs);
    await test.disk.compact();
    assert.deepEqual(packsIn(test), []);
    assert.equal(test.disk.usage().bytes, 0);
    const later = await put(test, 100, 50_000);
    await check(test, later, blobs);
    await test.reopen();
    await check(test, later, blobs);
  });

  it("leaves alone what is hardly dead", async () => {
    await using test = await opened();
    const blobs = await put(test, 60, 50_000);
    await remove(test, some(blobs, 20));
    assert.deepEqual(await test.disk.compact(), { packs: 0, copied: 0, freed: 0 });
  });

  it("keeps the last use of what it copies", async () => {
    let seconds = 1e9;
    await using test = await opened("on", () => seconds * 1000);
    const blobs = await put(test, 100, 50_000);
    await remove(test, others(blobs, 10));
    seconds += 5000;
    await test.disk.compact();
    seconds += 5000;
    await test.reopen();
    const census = test.disk.census();
    const [shelf] = census.tenants[0]?.shelves ?? [];
    for (const { digest } of some(blobs, 10)) {
      assert.equal(shelf?.used(shelf.find(DigestList.of(digest).words, 0)), 1e9);
    }
    census.close();
  });

  it("lets go on whoever has a blob open", async () => {
    await using test = await opened();
    const blobs = await put(test, 100, 50_000);
    const [first, last] = [blobs[0] as Blob, blobs[99] as Blob];
    const open = [await test.disk.tenant("t").open(first.digest), await test.disk.tenant("t").open(last.digest)];
    await remove(test, others(blobs, 10));
    await test.disk.compact();
    for (const [i, { bytes }] of [first, last].entries()) {
      const buffer = Buffer.alloc(bytes.length);
      await open[i]?.read(buffer, 0);
      assert.deepEqual(buffer, bytes);
      assert.ok(test.disk.usage().bytes > 4_000_000, "the disk has it as long as it is open");
      open[i]?.close();
    }
    while (test.disk.usage().bytes > 1_000_000) await new Promise((resolve) => setImmediate(resolve));
  });

  it("lets go on whoever has begun to read a batch", async () => {
    await using test = await opened();
    const large = await put(test, 16, 1_100_000); // in files, which are read two at a time, and what follows them after that
    const blobs = await put(test, 100, 50_000);
    await remove(test, others(blobs, 10));
    const digests = [...large, ...some(blobs, 10)].map(({ digest }) => digest);
    let batch: ReturnType<typeof readBatch> | undefined;
    test.onFault = (point) => {
      if (point === "pack synced") batch ??= readBatch(test.disk.tenant("t"), digests); // the index leads to the old pack, but not for long
    };
    assert.equal((await test.disk.compact()).packs, 2);
    assert.deepEqual((await batch)?.missing, []);
    assert.ok(packsIn(test).every((name) => name.startsWith("00000003")));
  });

  it("drops what is rotten and copies the rest", async () => {
    await using test = await opened();
    const blobs = await put(test, 80, 50_000);
    await remove(test, others(blobs, 10));
    const path = join(test.path, "tenants/t/sha256/packs/00000001.pack");
    const fd = openSync(path, "r+");
    writeSync(fd, "rot", 16 + 10 * 50_110 + 20_000);
    closeSync(fd);
    const removals = test.disk.removals();
    await test.disk.compact();
    assert.equal(test.disk.removals(), removals + 1);
    const kept = some(blobs, 10);
    await check(test, kept.toSpliced(1, 1), [...others(blobs, 10), kept[1] as Blob]);
  });

  it("leaves alone what was removed, or stored anew, while it was copied", async () => {
    await using test = await opened();
    const blobs = await put(test, 80, 50_000);
    await remove(test, others(blobs, 8));
    const kept = some(blobs, 8);
    const compacting = test.disk.compact();
    const [gone, again] = kept as [Blob, Blob];
    await remove(test, [gone, again]);
    await test.disk.tenant("t").put(again.digest, again.bytes);
    await compacting;
    await check(test, kept.slice(1), [...others(blobs, 8), gone]);
    await test.reopen();
    await check(test, kept.slice(1), [...others(blobs, 8), gone]);
  });

  it("makes room for an upload that finds none", async () => {
    await using test = await opened();
    const blobs = await put(test, 26, 1_000_000);
    await remove(test, others(blobs, 2));
    const large: Digest[] = [];
    const compacting = test.disk.compact();
    for (const each of [blob(sha256, 5_000_000), blob(sha256, 5_000_000)]) {
      await test.disk.tenant("t").put(each.digest, each.bytes);
      large.push(each.digest);
    }
    await compacting;
    assert.deepEqual(test.disk.tenant("t").missing(listOf(large)), []);
    await check(test, some(blobs, 2), others(blobs, 2));
  });

  it("of which a power cut undoes the last step leaves copies dead, and what is removed then stays so", async () => {
    await using test = await opened();
    const blobs = await put(test, 80, 50_000);
    await remove(test, others(blobs, 8));
    const kept = some(blobs, 8);
    const packs = join(test.path, "tenants/t/sha256/packs");
    await test.reopen();
    const before = await mkdtemp(join(tmpdir(), "store-"));
    cpSync(packs, before, { recursive: true });
    await test.disk.compact();
    await test.disk.close();
    cpSync(before, packs, { recursive: true });
    rmSync(before, { recursive: true });
    await test.open();
    assert.equal(packsIn(test).length, 4);
    await check(test, kept, others(blobs, 8));
    await remove(test, kept.slice(0, 2));
    await test.reopen();
    await check(test, kept.slice(2), [...others(blobs, 8), ...kept.slice(0, 2)]);
  });

  it("that a crash ends leaves copies dead, and what is removed then stays so", async () => {
    await using test = await opened();
    const blobs = await put(test, 80, 50_000);
    await remove(test, others(blobs, 8));
    const kept = some(blobs, 8);
    const killed = await mkdtemp(join(tmpdir(), "store-"));
    test.onFault = (point) => {
      if (point === "pack copied") cpSync(test.path, killed, { recursive: true }); // as a kill would leave it
    };
    await test.disk.compact();
    await using copy = await opened("on", undefined, killed);
    await check(copy, kept, others(blobs, 8));
    assert.equal(copy.disk.usage().blobs, kept.length);
    assert.ok(copy.disk.usage().dead > 4_000_000);
    await remove(copy, kept.slice(0, 2));
    await copy.reopen();
    await check(copy, kept.slice(2), [...others(blobs, 8), ...kept.slice(0, 2)]);
    await copy.disk.compact();
    await copy.reopen();
    await check(copy, kept.slice(2), [...others(blobs, 8), ...kept.slice(0, 2)]);
    assert.ok(copy.disk.usage().bytes < 500_000, JSON.stringify(copy.disk.usage()));
  });

  it("is survived by a reader beside the store", async () => {
    await using test = await opened();
    const blobs = await put(test, 100, 50_000);
    const reader = new ReadOnlyTenant(test.path, "t");
    assert.equal(reader.missing(listOf(blobs.map(({ digest }) => digest))).length, 0); // it has looked
    await remove(test, others(blobs, 10));
    await test.disk.compact();
    for (const { digest, bytes } of some(blobs, 10)) {
      const opened = reader.open(digest);
      assert.ok(opened);
      const buffer = Buffer.alloc(bytes.length);
      await opened.read(buffer, 0);
      opened.close();
      assert.deepEqual(buffer, bytes);
    }
    assert.equal(reader.open((blobs[1] as Blob).digest), undefined);
  });
});
