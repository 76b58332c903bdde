import type { DigestFunction } from "../../base/digest-function.ts";
import { closeFile, openFile, syncData, writeAll } from "./file-io.ts";
import {
  encodeBlock,
  type IndexRecord,
  indexHeader,
  indexHeaderLength,
  recordWords,
  writeRecord,
} from "./index-format.ts";

/** Records that are held in memory at a time. */
const blockRecords = 4096;

/** Where an index file lies until it is complete; a start deletes it. */
export const newEnding = ".new";

export function newPath(path: string): string {
  return path + newEnding;
}

/** Writes a new index file, to take the place of the one at `path`, syncs it, and returns its length. */
export async function writeIndexAnew(
  path: string,
  fn: DigestFunction,
  covered: number,
  records: Iterable<IndexRecord>,
): Promise<number> {
  const width = recordWords(fn);
  const block = new Uint32Array(blockRecords * width);
  const fd = await openFile(newPath(path), "w");
  try {
    await writeAll(fd, indexHeader(fn), 0);
    let length = indexHeaderLength;
    let count = 0;
    // Only the last block says how far the list goes: without it, the pack has to be read.
    const flush = async (upTo: number): Promise<void> => {
      const bytes = encodeBlock(fn, block, count, upTo);
      count = 0;
      await writeAll(fd, bytes, length);
      length += bytes.length;
    };
    for (const record of records) {
      writeRecord(block, count++ * width, fn, record);
      if (count === blockRecords) await flush(0);
    }
    await flush(covered);
    await syncData(fd);
    return length;
  } finally {
    await closeFile(fd);
  }
}
