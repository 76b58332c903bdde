import { fstatSync } from "node:fs";
import type { DigestFunction } from "../base/digest-function.ts";
import { closeFile, openFile, syncData, truncateFile } from "../store/disk/file-io.ts";
import { indexHeaderLength, readBlocks } from "../store/disk/index-format.ts";
import { packHeaderLength } from "../store/disk/pack.ts";

/**
 * Cuts the copy of an index file down to the whole blocks of its first `length` bytes: what was in it when its pack was linked. Later blocks may list removals
 * of what the backup's refs need. Returns how much of the pack it covers.
 */
export async function cutIndex(copy: string, length: number, fn: DigestFunction): Promise<number> {
  const fd = await openFile(copy, "r+");
  try {
    const { size } = fstatSync(fd);
    let [end, until] = [indexHeaderLength, packHeaderLength];
    for (const block of readBlocks(fd, Math.min(length, size), fn)) {
      end = block.end;
      until = Math.max(until, block.covered);
    }
    if (end < size) {
      await truncateFile(fd, end);
      await syncData(fd);
    }
    return until;
  } finally {
    await closeFile(fd);
  }
}
