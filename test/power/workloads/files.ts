import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { type DiskStore, openDiskStore } from "../../../src/store/disk/open-store.ts";
import { maxPackedSize } from "../../../src/store/disk/pack.ts";
import { blobOf, firstOf } from "../power-blobs.ts";
import { openSay } from "../sayings.ts";
import { putter, remover } from "./lane.ts";

/**
 * Stores blobs in files of their own: uploads of known digests, one of them past the page cache, staged ones, and files that another directory has, too;
 * removes some and has the journal written anew.
 *
 *     files.ts STORE FIRST-NUMBER on|off
 */
const [path = "", firstNumber = "0", given] = process.argv.slice(2);
const durability = given === "off" ? "off" : "on";
const say = openSay(durability);
const first = Number(firstNumber);
const step = 1_000_000;
let time = 1_700_000_000_000;

/** What small uploads may have in memory, as blobs of the largest size that lies in packs: beyond that they are files. */
const filling = 16;

const disk = await openDiskStore(path, {
  durability,
  clock: () => time,
  log: silentLog,
});
const others = await fillMemory(disk);
await Promise.all([lane(first), lane(first + 100), stageSome(first), putter(disk, say)(firstOf.file + first)]);
time += step;
for (const number of [first, first + 101]) await disk.tenant(blobOf(number).tenant).open(blobOf(number).digest);
await Promise.all([
  ...["", "team/a"].map((tenant) => disk.tenant(tenant).saveUse()),
  lane(first + 200),
  putter(disk, say)(firstOf.direct + first),
  share(firstOf.file + first + 10),
]);
for (const other of others) await other.abort();
await remover(disk, say)(firstOf.file + first + 10);
await disk.close();

async function fillMemory(store: DiskStore): Promise<{ abort(): Promise<void> }[]> {
  const digest = { ...blobOf(first).digest, size: maxPackedSize };
  return Promise.all(Array.from({ length: filling }, () => store.tenant("other").upload(digest)));
}

async function lane(from: number): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const numbers = Array.from({ length: 1 + (i % 3) }, (_, k) => from + i * 4 + k);
    await Promise.all(numbers.map(upload));
    if (i % 2 === 1) await remover(disk, say)(from + i * 4);
  }
}

async function upload(number: number): Promise<void> {
  const { tenant, digest, bytes } = blobOf(number);
  const begun = await disk.tenant(tenant).upload(digest);
  await begun.write(bytes.subarray(0, 10));
  await begun.rest();
  await begun.write(bytes.subarray(10));
  await begun.finish();
  say(`has ${number}`);
}

/** The first stays small and goes into a pack, were the memory not full. */
async function stageSome(from: number): Promise<void> {
  for (const number of [from + 50, from + 51, firstOf.file + from + 1]) {
    const { tenant, digest, bytes } = blobOf(number);
    const staged = await disk.tenant(tenant).stage(digest.function);
    for (let at = 0; at < bytes.length; at += 300_000) await staged.write(bytes.subarray(at, at + 300_000));
    await staged.seal();
    await staged.finish();
    say(`has ${number}`);
  }
}

/** A file of another directory, whose bytes nobody has synced. */
async function share(number: number): Promise<void> {
  const { tenant, digest, bytes } = blobOf(number);
  const folder = join(dirname(dirname(path)), "other");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(number)), bytes);
  const shared = await disk.tenant(tenant).share(digest, join(folder, String(number)), "link");
  if (!shared) throw new Error("this file system has no second names");
  say(`has ${number}`);
}
