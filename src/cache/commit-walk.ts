import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { type Commit, decodeCommit } from "../ostree/commit.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import { readTreeChecksums, unknownSize } from "../ostree/tree-checksums.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { forEachBlob } from "./batch-entries.ts";
import { DigestSet } from "./digest-set.ts";
import { readMessage } from "./read-message.ts";
import { maxTreeDirectories } from "./tree-walk.ts";

/** Dirtrees that are looked up at once, the bytes that are read at once unless one alone has more, and the files that are asked for: a millisecond of work each. */
const batchCount = 1024;
const batchBytes = 1 << 18;
const filesAtOnce = 8192;

/**
 * Bytes of a commit or dirmeta that a cache takes. Of artifacts they have some hundred; the metadata of a commit may be many small values, which are read at once,
 * and this many bytes are so in some milliseconds.
 */
export const maxCommitBytes = 256 << 10;

/** The commit that is a blob; `undefined` where it is missing or too large. Errors: `invalid` for what is none. */
export async function readCommit(blobs: BlobReader, digest: Digest): Promise<Commit | undefined> {
  if (digest.function !== sha256 || digest.size > maxCommitBytes) return undefined;
  const bytes = await readMessage(blobs, digest);
  return bytes && decodeCommit(bytes);
}

/**
 * Whether everything that a commit of OSTree needs is there: every dirtree and dirmeta below it, and the file objects. Each dirtree is read once however often it is used;
 * of files, which a dirtree names by their hash alone, any deflation will do. False, too, where the tree is beyond the limits. Memory: one batch, one question, and some 50
 * bytes for each dirtree. Errors: `invalid` for what is no commit or dirtree.
 */
export async function walkCommit(blobs: BlobReader, root: Digest): Promise<boolean> {
  const commit = await readCommit(blobs, root);
  if (commit === undefined) return false;
  const [trees, metas] = [new DigestSet(sha256), new DigestSet(sha256)];
  trees.add(hashAlone(commit.tree), 0);
  metas.add(hashAlone(commit.treeMeta), 0);
  const found = {
    files: new DigestList(ostree),
    directories: new DigestList(sha256),
    metas: new DigestList(sha256),
  };
  const queue = trees.items;
  let sinceBreath = 0;
  for (let next = 0; next < queue.length; ) {
    const batch = await sizedBatch(blobs, queue, next);
    if (batch === undefined) return false;
    next += batch.length;
    const read = await blobs.readBatch(batch);
    try {
      if (read.missing.length > 0) return false;
      forEachBlob(read, (bytes, start, end) => readTreeChecksums(bytes, start, end, found));
    } finally {
      read.release();
    }
    for (let i = 0; i < found.directories.length; i++) trees.add(found.directories, i);
    for (let i = 0; i < found.metas.length; i++) metas.add(found.metas, i);
    found.directories.clear();
    found.metas.clear();
    if (queue.length > maxTreeDirectories || metas.items.length > maxTreeDirectories) return false;
    if (found.files.length >= filesAtOnce && !(await areThere(blobs, found.files))) return false;
    // A big tree takes long: other calls are served in between.
    sinceBreath += read.bytes;
    if (sinceBreath < batchBytes / 2) continue;
    sinceBreath = 0;
    await breath();
  }
  return (await areThere(blobs, found.files)) && (await areThere(blobs, metas.items));
}

/** The next dirtrees of the queue to read together, with their sizes; `undefined` where one is missing, or larger than a dirtree can be. */
async function sizedBatch(blobs: BlobReader, queue: DigestList, from: number): Promise<DigestList | undefined> {
  const batch = new DigestList(queue.function, Math.min(batchCount, queue.length - from));
  for (let i = from; i < queue.length && batch.length < batchCount; i++) batch.append(queue, i);
  const sizes = await blobs.sizesOf(batch);
  let bytes = 0;
  for (const [i, size] of sizes.entries()) {
    if (size < 0 || size > maxMetadataBytes) return undefined;
    bytes += size;
    if (bytes > batchBytes && i > 0) {
      batch.length = i;
      break;
    }
    batch.sizes[i] = size;
  }
  return batch;
}

/** Whether all of these hashes are there; empties the list. */
async function areThere(blobs: BlobReader, hashes: DigestList): Promise<boolean> {
  if (hashes.length === 0) return true;
  const sizes = await blobs.sizesOf(hashes);
  hashes.clear();
  return !sizes.includes(-1);
}

function hashAlone(hash: string): DigestList {
  return DigestList.of({ function: sha256, hash, size: unknownSize });
}
