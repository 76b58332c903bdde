import { randomBytes } from "node:crypto";
import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { type Digest, digestOf } from "../src/base/digest.ts";
import { sha256 } from "../src/base/digest-function.ts";
import { DigestList } from "../src/base/digest-list.ts";
import { silentLog } from "../src/base/log.ts";
import type { BlobStore } from "../src/store/blob-store.ts";
import { openDiskStore } from "../src/store/disk/open-store.ts";
import { freshDirectory } from "./fresh-directory.ts";

/**
 * The store alone, without a protocol: `node bench/store.ts [on|off]`. Shows where the time of the whole goes.
 * Each figure is the best of some passes.
 */
const smallBytes = 16_384;
const smallCount = 20_000;
const inGroup = 64;
const groupsInFlight = 4;
const largeBytes = 64 << 20;
const largeCount = 8;
const chunkBytes = 1 << 20;
const passes = 3;

interface Blob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

const durability = process.argv[2] === "off" ? "off" : "on";
await using directory = await freshDirectory(process.env.TMPDIR ?? "/tmp");
const disk = await openDiskStore(directory.path, { durability, clock: systemClock, log: silentLog });
const noise = randomBytes(smallBytes * 1000);
await warmUp();

const rates = new Map<string, number>();
for (let pass = 0; pass < passes; pass++) {
  const store = disk.tenant(`pass ${pass}`);
  const small = Array.from({ length: smallCount }, (_, i) => blob(pass * smallCount + i, smallBytes));
  await measure("put of 16 KiB, blobs a second", smallCount, () => putAll(store, small));
  await measure("readBatch of 64 neighbours, blobs a second", smallCount, () => readAll(store, small));
  const shuffled = shuffle(small);
  await measure("readBatch of 64 shuffled, blobs a second", smallCount, () => readAll(store, shuffled));
  const asked = listOf(small.slice(0, 10_000));
  await measure("missing of 10,000, calls a second", 20, async () => {
    for (let i = 0; i < 20; i++) await store.missing(asked);
  });
  const large = Array.from({ length: largeCount }, (_, i) => blob(pass * largeCount + i, largeBytes));
  await measure("upload of 64 MiB, MB a second", (largeCount * largeBytes) / 1e6, () => uploadAll(store, large));
  await measure("read of 64 MiB, MB a second", (largeCount * largeBytes) / 1e6, () => readLarge(store, large));
}
await disk.close();
for (const [what, rate] of rates) console.log(what.padEnd(45), rate.toFixed(rate < 1000 ? 1 : 0));

/** Uses as much memory for files as the passes are going to: a virtual machine gets memory that it never used slowly. */
async function warmUp(): Promise<void> {
  const path = join(directory.path, "..", "warm-up");
  await writeFile(path, repeat(noise, (passes * (smallBytes * smallCount + largeBytes * largeCount)) / noise.length));
  await unlink(path);
}

function* repeat<T>(item: T, times: number): Generator<T> {
  for (let i = 0; i < times; i++) yield item;
}

async function measure(what: string, amount: number, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await work();
  const rate = amount / ((performance.now() - start) / 1000);
  rates.set(what, Math.max(rate, rates.get(what) ?? 0));
}

/** A blob of its own for each number: noise, with the number in front. */
function blob(number: number, size: number): Blob {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += noise.length) noise.copy(bytes, at);
  bytes.writeUInt32LE(number);
  return { digest: digestOf(sha256, bytes), bytes };
}

function listOf(blobs: readonly Blob[]): DigestList {
  const list = new DigestList(sha256, blobs.length);
  for (const { digest } of blobs) list.push(digest);
  return list;
}

function shuffle<T>(items: readonly T[]): T[] {
  const keys = new Map(items.map((item) => [item, Math.random()]));
  return items.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
}

/** Hands the blobs in groups to `work`, some groups at a time. */
async function inGroups(blobs: readonly Blob[], work: (group: readonly Blob[]) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < blobs.length) {
      const from = next;
      next += inGroup;
      await work(blobs.slice(from, from + inGroup));
    }
  };
  await Promise.all(Array.from({ length: groupsInFlight }, lane));
}

function putAll(store: BlobStore, blobs: readonly Blob[]): Promise<void> {
  return inGroups(blobs, async (group) => {
    await Promise.all(group.map(({ digest, bytes }) => store.put(digest, bytes)));
  });
}

function readAll(store: BlobStore, blobs: readonly Blob[]): Promise<void> {
  return inGroups(blobs, async (group) => {
    const batch = await store.readBatch(listOf(group));
    if (batch.missing.length > 0) throw new Error("a blob is missing");
    batch.release();
  });
}

async function uploadAll(store: BlobStore, blobs: readonly Blob[]): Promise<void> {
  for (const { digest, bytes } of blobs) {
    const upload = await store.upload(digest);
    for (let at = 0; at < bytes.length; at += chunkBytes) await upload.write(bytes.subarray(at, at + chunkBytes));
    await upload.finish();
  }
}

async function readLarge(store: BlobStore, blobs: readonly Blob[]): Promise<void> {
  const chunk = Buffer.alloc(chunkBytes);
  for (const { digest } of blobs) {
    const opened = await store.open(digest);
    if (opened === undefined) throw new Error("a blob is missing");
    for (let at = 0; at < digest.size; at += chunkBytes) await opened.read(chunk, at);
    opened.close();
  }
}
