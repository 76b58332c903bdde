import { setImmediate as breath } from "node:timers/promises";
import { type Digest, isEmptyBlob } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { forEachBlob } from "../cache/batch-entries.ts";
import { DigestSet } from "../cache/digest-set.ts";
import { readChildren } from "../cache/directory-children.ts";
import { maxDirectoryBytes } from "../cache/directory-walk.ts";
import type { BlobReader } from "../store/blob-store.ts";

/** Blobs that are counted; of a whole operating system some 200,000. Beyond it is said that there are more. */
export const maxCounted = 500_000;

/** Directories read at once, and the bytes that they may have together unless one alone has more. */
const batchCount = 256;
const batchBytes = 1 << 20;

/** Blobs in one question to the store. */
const askedAtOnce = 16_384;

/** Counts the blobs of an artifact, each once, however many trees it is in: all of one hash function. */
export class BlobCount {
  /** False where there is more than was counted: a limit was reached, or a directory could not be read. */
  exact = true;
  private readonly blobs: BlobReader;
  private readonly seen: DigestSet;
  private readonly asked: DigestList;
  private knownBytes = 0;
  private summed = 0;

  constructor(blobs: BlobReader, fn: DigestFunction) {
    this.blobs = blobs;
    this.seen = new DigestSet(fn);
    this.asked = new DigestList(fn);
  }

  get count(): number {
    return this.seen.items.length;
  }

  get bytes(): number {
    const { sizes } = this.seen.items;
    for (; this.summed < this.count; this.summed++) this.knownBytes += sizes[this.summed] as number;
    return this.knownBytes;
  }

  /** Counts a blob, or the tree below a directory; returns how many of the blobs that were not counted before are missing. */
  async add(walk: "blob" | "directory", digest: Digest, look: boolean): Promise<number> {
    if (isEmptyBlob(digest)) return 0;
    if (digest.function !== this.seen.items.function) {
      this.exact = false;
      return 0;
    }
    const from = this.count;
    const root = DigestList.of(digest);
    if (walk === "directory") await this.walk(root);
    else this.seen.add(root, 0);
    return look ? this.missingFrom(from) : 0;
  }

  /** Goes through a tree breadth first. What is no directory is a file that is there and of no use. */
  private async walk(root: DigestList): Promise<void> {
    const directories = new DigestSet(root.function);
    directories.add(root, 0);
    const children = { files: new DigestList(root.function), directories: new DigestList(root.function) };
    for (let next = 0; next < directories.items.length; ) {
      const batch = takeBatch(directories.items, next);
      next += batch.length;
      for (let i = 0; i < batch.length; i++) this.seen.add(batch, i);
      await this.readBatch(batch, children);
      for (let i = 0; i < children.directories.length; i++) directories.add(children.directories, i);
      for (let i = 0; i < children.files.length; i++) this.seen.add(children.files, i);
      children.directories.clear();
      children.files.clear();
      if (this.count > maxCounted || directories.items.length > maxCounted) {
        this.exact = false;
        return;
      }
      await breath(); // others have their turn
    }
  }

  private async readBatch(batch: DigestList, children: { files: DigestList; directories: DigestList }): Promise<void> {
    if ((batch.sizes[0] as number) > maxDirectoryBytes) {
      this.exact = false;
      return;
    }
    const read = await this.blobs.readBatch(batch);
    try {
      if (read.missing.length > 0) this.exact = false;
      forEachBlob(read, (bytes, start, end) => {
        try {
          readChildren(bytes, start, end, children);
        } catch (error) {
          if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
          this.exact = false;
        }
      });
    } finally {
      read.release();
    }
  }

  private async missingFrom(from: number): Promise<number> {
    let missing = 0;
    for (let at = from; at < this.count; ) {
      this.asked.clear();
      for (const end = Math.min(at + askedAtOnce, this.count); at < end; at++) this.asked.append(this.seen.items, at);
      missing += (await this.blobs.missing(this.asked)).length;
      await breath();
    }
    return missing;
  }
}

/** The next directories to read together; the first may be larger than any can be. */
function takeBatch(queue: DigestList, from: number): DigestList {
  const batch = new DigestList(queue.function, Math.min(batchCount, queue.length - from));
  let bytes = 0;
  for (let i = from; i < queue.length && batch.length < batchCount; i++) {
    bytes += queue.sizes[i] as number;
    if (bytes > batchBytes && batch.length > 0) break;
    batch.append(queue, i);
  }
  return batch;
}
