import { unlink } from "node:fs/promises";
import type { DigestFunction } from "../../base/digest-function.ts";
import { closeFile, openFile, syncData, writeAll } from "./file-io.ts";
import {
  encodeBlock,
  type IndexBlock,
  indexHeader,
  indexHeaderLength,
  isPresent,
  recordWords,
} from "./index-format.ts";

/** Where an index file lies until it is complete; a start deletes it. */
export const newEnding = ".new";

export function newPath(path: string): string {
  return path + newEnding;
}

/** The last use of the blob of the record that begins at `records[at]`; `undefined` where it is to be left out. */
export type UseOf = (records: Uint32Array, at: number) => number | undefined;

/** Writes a new index file of what the old one lists, to take the place of the one at `path`, syncs it, and returns its length. */
export async function writeIndexAnew(
  path: string,
  fn: DigestFunction,
  old: Iterable<IndexBlock>,
  used: UseOf,
): Promise<number> {
  const width = recordWords(fn);
  const fd = await openFile(newPath(path), "w");
  try {
    await writeAll(fd, indexHeader(fn), 0);
    let length = indexHeaderLength;
    for (const { records, covered } of old) {
      const kept = new Uint32Array(records.length);
      let count = 0;
      for (let at = 0; at < records.length; at += width) {
        const use = isPresent(records, at, fn) ? used(records, at) : undefined;
        if (use === undefined) continue;
        kept.set(records.subarray(at, at + width), count * width);
        kept[++count * width - 1] = use;
      }
      const block = encodeBlock(fn, kept, count, covered);
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
