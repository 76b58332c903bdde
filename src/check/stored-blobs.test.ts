import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { Slices } from "../base/slices.ts";
import { DigestIndex, inFile } from "../store/disk/digest-index.ts";
import type { Pack } from "../store/disk/pack.ts";
import { blobsInRange, blobsOfPacks, firstWord, largeBlobs, rangeBytes } from "./stored-blobs.ts";

const slices = new Slices();

function indexOf(blobs: readonly { readonly place: number; readonly offset: number }[]): DigestIndex {
  const index = new DigestIndex(sha256, [1, 2], 0);
  for (const [i, { place, offset }] of blobs.entries()) {
    const hash = createHash("sha256").update(String(i)).digest("hex");
    index.insert(DigestList.of({ function: sha256, hash, size: 10 }).words, 0, 10, place, offset, 0);
  }
  return index;
}

describe("the blobs that an index has", () => {
  it("are found pack by pack, and in each in the order in which they lie there", async () => {
    // More packs than are gathered at once, and their slots in another order than their numbers.
    const packs = Array.from({ length: 600 }, (_, i) => ({ number: i + 1, slot: (i * 7) % 600 }) as Pack);
    const offsets = [rangeBytes + 16, 5000, 16];
    const index = indexOf([
      ...packs.flatMap(({ slot }) => offsets.map((offset) => ({ place: slot, offset: offset + slot * 40 }))),
      { place: inFile, offset: 1 },
      { place: 600, offset: 16 },
    ]);
    const seen: number[] = [];
    for await (const gathered of blobsOfPacks(index, packs, slices)) {
      const { pack } = gathered;
      seen.push(pack.number);
      if (pack.slot % 400 !== 0) continue; // the first and one of a later walk
      const found: number[] = [];
      for (const from of [0, rangeBytes]) {
        const cells = await blobsInRange(index, gathered, from, slices);
        for (const cell of cells) if (cell > 0) found.push(index.offset(cell - 1));
      }
      assert.deepEqual(found, offsets.map((offset) => offset + pack.slot * 40).toReversed());
    }
    assert.deepEqual(
      seen,
      packs.map(({ number }) => number),
    );
  });

  it("are found file by file, in the order of their hashes, behind the one that was last", async () => {
    const index = indexOf(Array.from({ length: 1000 }, (_, i) => ({ place: i % 3 === 0 ? 0 : inFile, offset: i + 1 })));
    const words = async (after: number): Promise<number[]> => {
      const found: number[] = [];
      for await (const entries of largeBlobs(index, after, slices)) {
        assert.equal(new Set(entries.map((entry) => firstWord(index, entry) >>> 24)).size, 1);
        found.push(...entries.map((entry) => firstWord(index, entry)));
      }
      return found;
    };
    const all = await words(-1);
    assert.equal(all.length, 666);
    assert.deepEqual(
      all,
      [...all].sort((a, b) => a - b),
    );
    assert.deepEqual(await words(all[300] as number), all.slice(301));
    for await (const _ of largeBlobs(indexOf([{ place: 0, offset: 16 }]), -1, slices)) assert.fail("there is none");
  });
});
