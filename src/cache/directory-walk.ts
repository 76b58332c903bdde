import { setImmediate as breath } from "node:timers/promises";
import { type Digest, isEmptyBlob } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { forEachBlob } from "./batch-entries.ts";
import { DigestSet } from "./digest-set.ts";
import { readChildren } from "./directory-children.ts";
import { checkNames } from "./directory-names.ts";
import type { Presence } from "./presence.ts";
import { maxTreeDirectories } from "./tree-walk.ts";

/** A single directory of some 250,000 files. Clients read a directory as a stream, so the limit on messages does not bound it. */
export const maxDirectoryBytes = 32 << 20;

/** Directories read at once, and the bytes they may have together unless one alone has more: some milliseconds of work. */
const batchCount = 1024;
const batchBytes = 1 << 20;

/**
 * Reads every directory of the tree below `root`, breadth first, each once however often it is used, and requires every file of it
 * of `presence`. False where a directory is missing, or the tree is beyond the limits, and so cannot be known to be complete.
 * Memory: one batch, one question, and some 50 bytes for each directory. Errors: `invalid` for what is no directory,
 * or has names that files cannot have.
 */
export async function walkDirectories(blobs: BlobReader, root: Digest, presence: Presence): Promise<boolean> {
  if (isEmptyBlob(root)) return true;
  const seen = new DigestSet(root.function);
  const queue = seen.items;
  seen.add(DigestList.of(root), 0);
  const files = presence.list(root.function);
  const directories = new DigestList(root.function);
  let sinceBreath = 0;
  for (let next = 0; next < queue.length; ) {
    const batch = takeBatch(queue, next);
    if (batch === undefined) return false;
    next += batch.length;
    const read = await blobs.readBatch(batch);
    try {
      if (read.missing.length > 0) return false;
      forEachBlob(read, (bytes, start, end) => {
        checkNames(bytes, start, end);
        readChildren(bytes, start, end, { files, directories });
      });
    } finally {
      read.release();
    }
    for (let i = 0; i < directories.length; i++) seen.add(directories, i);
    directories.clear();
    if (queue.length > maxTreeDirectories || !(await presence.settled())) return false;
    // A big tree takes long: other calls are served in between.
    sinceBreath += read.bytes;
    if (sinceBreath < batchBytes / 2) continue;
    sinceBreath = 0;
    await breath();
  }
  return true;
}

/** The next directories of the queue to read together; `undefined` where one is larger than a directory can be. */
function takeBatch(queue: DigestList, from: number): DigestList | undefined {
  const batch = new DigestList(queue.function, Math.min(batchCount, queue.length - from));
  let bytes = 0;
  for (let i = from; i < queue.length && batch.length < batchCount; i++) {
    const size = queue.sizes[i] as number;
    if (size > maxDirectoryBytes) return undefined;
    bytes += size;
    if (bytes > batchBytes && batch.length > 0) break;
    batch.append(queue, i);
  }
  return batch;
}
