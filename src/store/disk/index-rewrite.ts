import { unlink } from "node:fs/promises";
import type { DigestFunction } from "../../base/digest-function.ts";
import { Slices } from "../../base/slices.ts";
import { closeFile, openFile, syncData, writeAll } from "./file-io.ts";
import {
  encodeBlock,
  type IndexBlock,
  indexHeader,
  indexHeaderLength,
  recordWords,
  writtenBlockRecords,
} from "./index-format.ts";

/** Where an index file lies until it is complete; a start deletes it. */
export const newEnding = ".new";

export function newPath(path: string): string {
  return path + newEnding;
}

/**
 * The last use of the blob of the record that begins at `records[at]`; `undefined` where it is to be left out. Of a blob that is on its way out the record
 * of its removal, too, may be in the file: the two stay or go together, or the blob would be listed for ever.
 */
export type UseOf = (records: Uint32Array, at: number) => number | undefined;

/** Writes a new index file of what the old one lists, to take the place of the one at `path`, syncs it, and returns its length. */
export async function writeIndexAnew(
  path: string,
  fn: DigestFunction,
  old: Iterable<IndexBlock>,
  used: UseOf,
): Promise<number> {
  const fd = await openFile(newPath(path), "w");
  try {
    await writeAll(fd, indexHeader(fn), 0);
    let length = indexHeaderLength;
    for await (const block of blocksOf(fn, old, used)) {
      await writeAll(fd, block, length);
      length += block.length;
    }
    await syncData(fd);
    return length;
  } catch (error) {
    await unlink(newPath(path));
    throw error;
  } finally {
    await closeFile(fd);
  }
}

/** What is kept of the old blocks, in new ones that are full: of small and empty ones there may be very many. */
async function* blocksOf(fn: DigestFunction, old: Iterable<IndexBlock>, used: UseOf): AsyncGenerator<Uint8Array, void> {
  const width = recordWords(fn);
  const slices = new Slices();
  const kept = new Uint32Array(writtenBlockRecords * width);
  let count = 0;
  let covered = 0; // by the old blocks that are whole in new ones
  for (const { records, covered: until } of old) {
    for (let at = 0; at < records.length; at += width) {
      if (slices.over) await slices.rest();
      const use = used(records, at);
      if (use === undefined) continue;
      if (count === writtenBlockRecords) {
        yield encodeBlock(fn, kept, count, covered);
        count = 0;
      }
      for (let w = 0; w < width; w++) kept[count * width + w] = records[at + w] as number;
      kept[++count * width - 1] = use;
    }
    covered = Math.max(covered, until);
  }
  if (count > 0 || covered > 0) yield encodeBlock(fn, kept, count, covered);
}
