import type { Slices } from "../base/slices.ts";
import { type DigestIndex, inFile } from "../store/disk/digest-index.ts";

/** The part of a pack whose blobs are gathered at once: their numbers take an eighth of a byte for each of its bytes. */
export const rangeBytes = 64 << 20;

/** Shorter than any record, so that no two begin in one cell. */
const cellBytes = 32;

/** Entries looked at before the time is. */
const stride = 2048;

/**
 * The blobs whose records begin in a range of a pack: their numbers plus one, in the order in which they lie there, with zeros between. It is what the index in
 * memory says, whatever the index files say. Blobs that come meanwhile may be left out; who uses a number looks up whether its blob still lies there.
 */
export async function blobsInRange(
  index: DigestIndex,
  slot: number,
  from: number,
  slices: Slices,
): Promise<Uint32Array> {
  const cells = new Uint32Array(rangeBytes / cellBytes);
  await eachIn(index, slot, slices, (entry) => {
    const at = index.offset(entry) - from;
    if (at >= 0 && at < rangeBytes) cells[Math.floor(at / cellBytes)] = entry + 1;
  });
  return cells;
}

/** The numbers of the large blobs whose hashes begin with this byte and are above `after`, a first word; in the order of their hashes. */
export async function largeBlobs(index: DigestIndex, byte: number, after: number, slices: Slices): Promise<number[]> {
  const found: { readonly word: number; readonly entry: number }[] = [];
  await eachIn(index, inFile, slices, (entry) => {
    const { chunk, at } = index.locate(entry);
    const word = chunk[at] as number;
    if (word >>> 24 === byte && word > after) found.push({ word, entry });
  });
  return found.sort((a, b) => a.word - b.word).map(({ entry }) => entry);
}

/** The sum of the sizes of the large blobs. */
export async function largeBytes(index: DigestIndex, slices: Slices): Promise<number> {
  let sum = 0;
  await eachIn(index, inFile, slices, (entry) => {
    sum += index.size(entry);
  });
  return sum;
}

/** Entries that are not in use have a place where nothing lies. */
async function eachIn(index: DigestIndex, place: number, slices: Slices, take: (entry: number) => void): Promise<void> {
  for (let entry = 0; entry < index.top; entry++) {
    if (entry % stride === 0 && slices.over) await slices.rest();
    if (index.place(entry) === place) take(entry);
  }
}
