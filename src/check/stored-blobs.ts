import type { Slices } from "../base/slices.ts";
import { type DigestIndex, inFile } from "../store/disk/digest-index.ts";
import type { Pack } from "../store/disk/pack.ts";

/** The part of a pack whose blobs are put in order at once: their numbers take an eighth of a byte for each of its bytes. */
export const rangeBytes = 64 << 20;

/** Shorter than any record, so that no two begin in one cell. */
const cellBytes = 32;

/** Entries looked at before the time is. */
const stride = 2048;

/** Blobs that are gathered in one walk over the index, four bytes each, but for a pack or a hash's first byte that has more of its own. */
const maxGathered = 1 << 20;

/** Packs whose blobs are gathered at once: of those read hours later, too many have moved meanwhile. */
const maxPacks = 256;

/** A pack, and the numbers of blobs that lie in it, in no order. */
export interface GatheredPack {
  readonly pack: Pack;
  readonly entries: Uint32Array;
}

/**
 * What lies in these packs, one after the other: what the index in memory says, whatever the index files say. Blobs that come or are moved meanwhile may be left
 * out; who uses a number looks up whether its blob still lies there.
 */
export async function* blobsOfPacks(
  index: DigestIndex,
  packs: readonly Pack[],
  slices: Slices,
): AsyncGenerator<GatheredPack> {
  const slots = packs.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
  for (let next = 0; next < packs.length; ) {
    const counts = new Uint32Array(slots);
    await eachEntry(index, slices, (entry) => {
      const slot = index.place(entry);
      if (slot < slots) counts[slot] = (counts[slot] as number) + 1;
    });
    const numbered = packs
      .slice(next, next + maxPacks)
      .map((pack) => ({ key: pack.slot, count: counts[pack.slot] as number }));
    const gathered = await gather(index, fitting(numbered), slots, (entry) => index.place(entry), slices);
    for (const entries of gathered) yield { pack: packs[next++] as Pack, entries };
  }
}

/**
 * Those of a pack's blobs whose records begin in a range of it: their numbers plus one, in the order in which they lie there, with zeros between.
 */
export async function blobsInRange(
  index: DigestIndex,
  { pack, entries }: GatheredPack,
  from: number,
  slices: Slices,
): Promise<Uint32Array> {
  const cells = new Uint32Array(rangeBytes / cellBytes);
  for (let i = 0; i < entries.length; i++) {
    if (i % stride === 0 && slices.over) await slices.rest();
    const entry = entries[i] as number;
    const at = index.offset(entry) - from;
    if (index.place(entry) === pack.slot && at >= 0 && at < rangeBytes) cells[Math.floor(at / cellBytes)] = entry + 1;
  }
  return cells;
}

/** The numbers of the large blobs whose hashes are above `after`, a first word; in the order of their hashes, with those of one first byte at a time. */
export async function* largeBlobs(index: DigestIndex, after: number, slices: Slices): AsyncGenerator<number[]> {
  const byteOf = (entry: number): number =>
    index.place(entry) === inFile && firstWord(index, entry) > after ? firstWord(index, entry) >>> 24 : none;
  for (let next = 0; next < 256; ) {
    const counts = new Uint32Array(256);
    await eachEntry(index, slices, (entry) => {
      const byte = byteOf(entry);
      if (byte !== none) counts[byte] = (counts[byte] as number) + 1;
    });
    const numbered = [...counts.subarray(next)].map((count, i) => ({ key: next + i, count }));
    if (numbered.every(({ count }) => count === 0)) return;
    const gathered = await gather(index, fitting(numbered), 256, byteOf, slices);
    for (const entries of gathered) {
      const there = [...entries].filter((entry) => byteOf(entry) === next);
      next++;
      const ordered = there.map((entry) => ({ entry, word: firstWord(index, entry) })).sort((a, b) => a.word - b.word);
      if (ordered.length > 0) yield ordered.map(({ entry }) => entry);
    }
  }
}

/** The first 32 bits of an entry's hash. */
export function firstWord(index: DigestIndex, entry: number): number {
  const { chunk, at } = index.locate(entry);
  return chunk[at] as number;
}

/** The sum of the sizes of the large blobs. */
export async function largeBytes(index: DigestIndex, slices: Slices): Promise<number> {
  let sum = 0;
  await eachEntry(index, slices, (entry) => {
    if (index.place(entry) === inFile) sum += index.size(entry);
  });
  return sum;
}

/** A slot or first byte, and how many blobs it has. */
interface Numbered {
  readonly key: number;
  readonly count: number;
}

/** No slot, and no byte. */
const none = 0x7fffffff;

/** The first of these, as many as may be gathered at once, but at least one. */
function fitting(numbered: readonly Numbered[]): Numbered[] {
  let [fit, sum] = [0, 0];
  for (; fit < numbered.length; fit++) {
    sum += (numbered[fit] as Numbered).count;
    if (fit > 0 && sum > maxGathered) break;
  }
  return numbered.slice(0, fit);
}

/** The entries of each of these; of one that has more by now, some are left out. Keys are below `keys`. */
async function gather(
  index: DigestIndex,
  numbered: readonly Numbered[],
  keys: number,
  keyOf: (entry: number) => number,
  slices: Slices,
): Promise<Uint32Array[]> {
  const lists: Uint32Array[] = numbered.map(({ count }) => new Uint32Array(count));
  const filled = new Uint32Array(lists.length);
  const placeOf = new Int32Array(keys).fill(-1);
  for (const [i, { key }] of numbered.entries()) placeOf[key] = i;
  await eachEntry(index, slices, (entry) => {
    const key = keyOf(entry);
    const place = key < keys ? (placeOf[key] as number) : -1;
    if (place < 0) return;
    const [list, at] = [lists[place] as Uint32Array, filled[place] as number];
    if (at === list.length) return;
    list[at] = entry;
    filled[place] = at + 1;
  });
  return lists.map((list, i) => list.subarray(0, filled[i]));
}

/** Entries that are not in use have a place where nothing lies. */
async function eachEntry(index: DigestIndex, slices: Slices, take: (entry: number) => void): Promise<void> {
  for (let entry = 0; entry < index.top; entry++) {
    if (entry % stride === 0 && slices.over) await slices.rest();
    take(entry);
  }
}
