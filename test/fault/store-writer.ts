import { writeSync } from "node:fs";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { batchOf } from "../../src/store/batch.fixture.ts";
import type { BlobStore } from "../../src/store/blob-store.ts";
import type { DiskTenant } from "../../src/store/disk/disk-tenant.ts";
import { openDiskStore } from "../../src/store/disk/open-store.ts";
import { blobOf, type NumberedBlob } from "./store-blobs.ts";

/**
 * Writes, removes and touches blobs, and says on its output what has been acknowledged, line by line:
 * `has N`, `removing N`. Kills itself at the given time that a point is reached. `compacting`: most blobs are removed again, in batches, and
 * packs, which are small then, compacted all the time.
 *
 *     node store-writer.ts DIRECTORY on|off FIRST-NUMBER writing|compacting [POINT TIMES]
 */
const [directory = "", durability, first, mode, point, times] = process.argv.slice(2);
const compacts = mode === "compacting";

/** More than any test wants. */
const enough = 30_000;

/** Blobs that are put at once, and groups of them under way. */
const inGroup = 50;
const lanes = 4;

/** Blobs that are put beside one compaction: it gets hardly anywhere as long as there are more. */
const besideCompaction = 1000;

let reached = 0;
let seconds = 1_000_000_000;
const disk = await openDiskStore(directory, {
  durability: durability === "off" ? "off" : "on",
  ...(compacts ? { quota: 128 << 20 } : {}),
  clock: () => seconds++ * 1000,
  log: silentLog,
  faults: {
    reach: (at) => {
      if (at === point && ++reached === Number(times)) process.kill(process.pid, "SIGKILL");
    },
  },
});

let next = Number(first);
let compaction: Promise<unknown> | undefined;
let compactedSince = 0;
await Promise.all(Array.from({ length: lanes }, lane));

async function lane(): Promise<void> {
  while (next < Number(first) + enough) {
    const from = next;
    next += inGroup;
    const blobs = Array.from({ length: inGroup }, (_, i) => blobOf(from + i));
    if ((from / inGroup) % 2 < 1) await Promise.all(blobs.map(store));
    else await storeBatches(blobs);
    const gone = blobs[from % inGroup] ?? blobs[0];
    const large = blobs.find(({ number }) => number % 300 === 99);
    for (const each of [gone, large]) if (each !== undefined) await remove(each);
    if (compacts) await thinOut(blobs);
    seconds += 10_000;
    for (const { digest, tenant } of blobs) await disk.tenant(tenant).open(digest);
    if (from % 1000 < inGroup) for (const { tenant } of blobs.slice(0, 2)) await disk.tenant(tenant).saveUse();
  }
}

/** Removes three of four blobs by their numbers, and sees to it that packs are being compacted. */
async function thinOut(blobs: readonly NumberedBlob[]): Promise<void> {
  const census = disk.census();
  for (const { instance, shelves } of census.tenants) {
    for (const shelf of shelves) {
      const mine = blobs.filter(
        ({ number, tenant, digest }) => number % 4 !== 0 && tenant === instance && digest.function === shelf.function,
      );
      for (const { number } of mine) say(`removing ${number}`);
      const numbers = mine.map(({ digest }) => shelf.find(DigestList.of(digest).words, 0));
      await shelf.remove(numbers, () => true);
    }
  }
  census.close();
  if (compaction === undefined) {
    compactedSince = next;
    compaction = disk.compact().finally(() => {
      compaction = undefined;
    });
  } else if (next > compactedSince + besideCompaction) {
    await compaction;
  }
}

async function store({ number, tenant, digest, bytes }: NumberedBlob): Promise<void> {
  const blobs = disk.tenant(tenant);
  if (number % 100 === 99 || number % 7 === 0) await upload(blobs, digest, bytes);
  else await blobs.put(digest, bytes);
  say(`has ${number}`);
}

/** Stores them in batches, those of one tenant and function in one. */
async function storeBatches(blobs: readonly NumberedBlob[]): Promise<void> {
  const batches = Map.groupBy(blobs, ({ tenant, digest }) => `${tenant} ${digest.function.name}`);
  const put = async (batch: readonly NumberedBlob[]): Promise<void> => {
    const [failure] = await disk.tenant(batch[0]?.tenant ?? "").putBatch(batchOf(batch));
    if (failure !== undefined) throw failure[1];
    for (const { number } of batch) say(`has ${number}`);
  };
  await Promise.all(Array.from(batches.values(), put));
}

async function upload(blobs: BlobStore, digest: NumberedBlob["digest"], bytes: Buffer): Promise<void> {
  const begun = await blobs.upload(digest);
  for (let at = 0; at < bytes.length; at += 300_000) await begun.write(bytes.subarray(at, at + 300_000));
  await begun.finish();
}

async function remove({ number, tenant, digest }: NumberedBlob): Promise<void> {
  say(`removing ${number}`);
  const blobs: DiskTenant = disk.tenant(tenant);
  await blobs.remove(digest);
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
