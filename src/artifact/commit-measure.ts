import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { forEachBlob } from "../cache/batch-entries.ts";
import { readCommit } from "../cache/commit-walk.ts";
import { DigestSet } from "../cache/digest-set.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import { readTreeChecksums, type TreeChecksums, unknownSize } from "../ostree/tree-checksums.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ArtifactSize } from "./artifact-report.ts";
import { maxCounted } from "./tree-measure.ts";

/** Dirtrees looked up at once, and the bytes that are read at once unless one alone has more. */
const batchCount = 256;
const batchBytes = 1 << 20;

/** Blobs in one question to the store. */
const askedAtOnce = 16_384;

/** What an OSTree commit takes with all that is below it, each blob once, and how many of those are missing. */
export async function measureCommit(blobs: BlobReader, digest: Digest): Promise<ArtifactSize & { missing: number }> {
  const commit = await readCommit(blobs, digest).catch(ifInvalid);
  if (commit === undefined) return { bytes: 0, blobs: 1, exact: false, missing: 1 };
  const count = new CommitCount(blobs);
  count.metadata.add(DigestList.of(hashAlone(digest.hash)), 0);
  count.metadata.add(DigestList.of(hashAlone(commit.treeMeta)), 0);
  await count.walk(hashAlone(commit.tree));
  return count.measured();
}

class CommitCount {
  /** The commit and the dirmetas. */
  readonly metadata = new DigestSet(sha256);
  private readonly blobs: BlobReader;
  private readonly trees = new DigestSet(sha256);
  private readonly files = new DigestSet(ostree);
  private exact = true;

  constructor(blobs: BlobReader) {
    this.blobs = blobs;
  }

  /** Goes through a tree breadth first. */
  async walk(root: Digest): Promise<void> {
    const found = {
      files: new DigestList(ostree),
      directories: new DigestList(sha256),
      metas: new DigestList(sha256),
    };
    this.trees.add(DigestList.of(root), 0);
    const queue = this.trees.items;
    for (let next = 0; next < queue.length; ) {
      const looked = Math.min(next + batchCount, queue.length);
      next += await this.readSome(slice(queue, next, looked), found);
      addAll(this.trees, found.directories);
      addAll(this.metadata, found.metas);
      addAll(this.files, found.files);
      if (queue.length + this.metadata.items.length + this.files.items.length > maxCounted) {
        this.exact = false;
        return;
      }
      await breath(); // others have their turn
    }
  }

  /** Reads dirtrees from the front of a batch, and returns how many of it that does. Those that cannot be read are left out. */
  private async readSome(batch: DigestList, found: TreeChecksums): Promise<number> {
    const sizes = await this.blobs.sizesOf(batch);
    const there = new DigestList(sha256, batch.length);
    let bytes = 0;
    let taken = 0;
    for (; taken < batch.length && (taken === 0 || bytes < batchBytes); taken++) {
      const size = sizes[taken] ?? -1;
      if (size < 0 || size > maxMetadataBytes) {
        this.exact = false;
        continue;
      }
      there.append(batch, taken);
      there.sizes[there.length - 1] = size;
      bytes += size;
    }
    if (there.length > 0) await this.read(there, found);
    return taken;
  }

  private async read(trees: DigestList, found: TreeChecksums): Promise<void> {
    const read = await this.blobs.readBatch(trees);
    try {
      if (read.missing.length > 0) this.exact = false;
      forEachBlob(read, (bytes, start, end) => {
        try {
          readTreeChecksums(bytes, start, end, found);
        } catch (error) {
          ifInvalid(error);
          this.exact = false;
        }
      });
    } finally {
      read.release();
    }
  }

  async measured(): Promise<ArtifactSize & { missing: number }> {
    const total = { bytes: 0, blobs: 0, missing: 0 };
    for (const { items } of [this.metadata, this.trees, this.files]) {
      total.blobs += items.length;
      for (let at = 0; at < items.length; at += askedAtOnce) {
        const sizes = await this.blobs.sizesOf(slice(items, at, Math.min(at + askedAtOnce, items.length)));
        for (const size of sizes) {
          if (size < 0) total.missing++;
          else total.bytes += size;
        }
        await breath();
      }
    }
    return { ...total, exact: this.exact && total.missing === 0 };
  }
}

function hashAlone(hash: string): Digest {
  return { function: sha256, hash, size: unknownSize };
}

function slice(list: DigestList, start: number, end: number): DigestList {
  const part = new DigestList(list.function, end - start);
  for (let i = start; i < end; i++) part.append(list, i);
  return part;
}

/** Adds all of a list to a set, and empties it. */
function addAll(set: DigestSet, list: DigestList): void {
  for (let i = 0; i < list.length; i++) set.add(list, i);
  list.clear();
}

function ifInvalid(error: unknown): undefined {
  if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
  return undefined;
}
