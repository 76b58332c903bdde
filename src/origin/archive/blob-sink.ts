import { BoundedJobs } from "../../base/bounded-jobs.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import { gather } from "../../base/tar/byte-source.ts";
import type { BlobStaging } from "../../store/blob-staging.ts";
import type { BlobStore } from "../../store/blob-store.ts";

/** Files up to this size are gathered: they go into packs, many with one wait for the disk. */
export const smallFileBytes = 1 << 20;

/** What may be on its way into the store at a time: enough for a whole group of small files to share a sync. */
const maxBytes = 8 << 20;
const maxCount = 2000;

/** Puts the many blobs of an archive into the store, without waiting for each. */
export class BlobSink {
  readonly function: DigestFunction;
  private readonly blobs: BlobStore;
  private readonly staging: BlobStaging;
  private readonly arriving = new BoundedJobs(maxBytes, maxCount);

  constructor(fn: DigestFunction, blobs: BlobStore, staging: BlobStaging) {
    this.function = fn;
    this.blobs = blobs;
    this.staging = staging;
  }

  /** Begins to store bytes, which must not change any more. Errors: those of blobs before it, too. */
  async add(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(this.function, bytes);
    await this.arriving.add(bytes.length, () => this.blobs.put(digest, bytes));
    return digest;
  }

  /** Stores a file that comes in pieces, of a size known beforehand. */
  async addFile(size: number, content: AsyncIterable<Uint8Array>): Promise<Digest> {
    if (size <= smallFileBytes) return this.add(await gather(size, content));
    const staged = await this.staging.stage(this.function);
    try {
      for await (const piece of content) {
        const written = staged.write(piece);
        if (isPromise(written)) await written;
      }
      const digest = await staged.seal();
      await staged.finish();
      return digest;
    } finally {
      await staged.abort();
    }
  }

  /** Resolves once everything is durable. */
  settled(): Promise<void> {
    return this.arriving.settled();
  }
}
