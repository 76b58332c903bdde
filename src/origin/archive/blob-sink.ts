import { type Digest, digestOf, isEmptyBlob } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { isPromise } from "../../base/maybe-promise.ts";
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
  private readonly arriving = new Set<Promise<void>>();
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(fn: DigestFunction, blobs: BlobStore, staging: BlobStaging) {
    this.function = fn;
    this.blobs = blobs;
    this.staging = staging;
  }

  /** Begins to store bytes, which must not change any more. Errors: those of blobs before it, too. */
  async add(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(this.function, bytes);
    while (this.bytes + bytes.length > maxBytes || this.arriving.size >= maxCount) {
      if (this.arriving.size === 0) break;
      await Promise.race(this.arriving);
    }
    this.throwFailure();
    if (isEmptyBlob(digest)) return digest;
    this.bytes += bytes.length;
    const arriving = this.blobs
      .put(digest, bytes)
      .catch((error) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.arriving.delete(arriving);
        this.bytes -= bytes.length;
      });
    this.arriving.add(arriving);
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
  async settled(): Promise<void> {
    await Promise.all(this.arriving);
    this.throwFailure();
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}

async function gather(size: number, content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const piece of content) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
