import { silentLog } from "../../../src/base/log.ts";
import { type DiskStore, openDiskStore } from "../../../src/store/disk/open-store.ts";
import { blobOf, firstOf } from "../power-blobs.ts";
import { openSay } from "../sayings.ts";
import { batchPutter, putter, remover } from "./lane.ts";

/**
 * Puts small blobs by several lanes and in bulk, one by one and in batches, removes some, asks for some, has index files written anew; closes the store, and goes on in the
 * one that it opens then.
 *
 *     packs.ts STORE FIRST-NUMBER on|off
 */
const [path = "", first = "0", given] = process.argv.slice(2);
const durability = given === "off" ? "off" : "on";
const say = openSay(durability);

/** Two uses within ten minutes count as one. */
const step = 1_000_000;
let time = 1_700_000_000_000;

for (const from of [Number(first), Number(first) + 500]) {
  const disk = await openDiskStore(path, {
    durability,
    clock: () => time,
    log: silentLog,
  });
  await Promise.all([lane(disk, from), lane(disk, from + 100), lane(disk, from + 200), bulk(disk, from)]);
  time += step;
  for (const number of [from, from + 1, from + 100])
    await disk.tenant(blobOf(number).tenant).open(blobOf(number).digest);
  for (const tenant of ["", "team/a"]) await disk.tenant(tenant).saveUse();
  await lane(disk, from + 300);
  await disk.close();
}

async function lane(disk: DiskStore, from: number): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const numbers = Array.from({ length: 1 + ((from + i) % 4) }, (_, k) => from + i * 4 + k);
    if (i % 2) await batchPutter(disk, say)(numbers);
    else await Promise.all(numbers.map(putter(disk, say)));
    if (i % 4 === 2) await remover(disk, say)(from + i * 4);
  }
}

/** So much at once that most of it goes past the page cache. */
async function bulk(disk: DiskStore, from: number): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const numbers = Array.from({ length: 5 }, (_, k) => firstOf.bulk + from + i * 10 + k * 3);
    if (i % 2) await batchPutter(disk, say)(numbers);
    else await Promise.all(numbers.map(putter(disk, say)));
  }
}
