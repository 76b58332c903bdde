import { DigestList } from "../../../src/base/digest-list.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type DiskStore, openDiskStore } from "../../../src/store/disk/open-store.ts";
import { blobOf, firstOf } from "../power-blobs.ts";
import { openSay } from "../sayings.ts";
import { putter, remover } from "./lane.ts";

/**
 * Fills packs that are small, as the quota is, removes most of it many at once as a sweep does, and has the packs compacted while more comes; closes the
 * store, and goes on in the one that it opens then.
 *
 *     compaction.ts STORE FIRST-NUMBER on|off
 */
const [path = "", first = "0", given] = process.argv.slice(2);
const durability = given === "off" ? "off" : "on";
const say = openSay(durability);

/** Packs have 4 MiB, and one of them takes as many blobs as are put at the beginning. */
const quota = 48 << 20;
const inPack = 48;
let time = 1_700_000_000_000;

for (const from of [Number(first), Number(first) + 600]) {
  const disk = await openDiskStore(path, { durability, quota, clock: () => time, log: silentLog });
  const put = putter(disk, say);
  const bulk = Array.from({ length: inPack }, (_, i) => firstOf.bulk + from + 3 + i * 3).filter((n) => n % 10 !== 0);
  await Promise.all(bulk.map(put));
  await Promise.all([0, 3, 6, 9].map((more) => put(from + more)));
  time += 100_000_000;
  await removeMany(
    disk,
    bulk.filter((_, i) => i % 8 !== 0),
  );
  await Promise.all([disk.compact(), lane(disk, from + 100), disk.tenant("").saveUse()]);
  await remover(disk, say)(bulk[8] as number);
  await removeMany(disk, [...bulk.filter((_, i) => i % 8 === 0 && i !== 8), from, from + 3]);
  await disk.compact();
  await lane(disk, from + 200);
  await disk.close();
}

async function lane(disk: DiskStore, from: number): Promise<void> {
  for (let i = 0; i < 6; i++) await Promise.all([from + i * 6, from + i * 6 + 3].map(putter(disk, say)));
}

/** As expiry removes blobs: by the numbers that the store has for them, all at once. */
async function removeMany(disk: DiskStore, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) say(`removing ${number}`);
  const census = disk.census();
  const shelves = census.tenants.flatMap((tenant) => tenant.shelves);
  await Promise.all(
    shelves.map(async (shelf) => {
      const digests = numbers.map((number) => blobOf(number).digest).filter((each) => each.function === shelf.function);
      const found = digests.map((digest) => shelf.find(DigestList.of(digest).words, 0)).filter((number) => number >= 0);
      await shelf.remove(found, (used) => used < time / 1000);
    }),
  );
  census.close();
  for (const number of numbers) say(`removed ${number}`);
}
