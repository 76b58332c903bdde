import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { BlobSink, BlobSource, PieceUse, TakeBatch, WholeBlob } from "../blob-place.ts";
import type { BlobPlace } from "../place.ts";

export interface CacheBlobsParts {
  /** Each is asked for what those before it do not have. */
  readonly sources: readonly BlobSource[];
  /** Where the programs look that are to have what is written. */
  readonly sink: BlobSink;
}

/** The blobs of a cache that several generations of programs share: read from wherever they are, written to one. */
export class CacheBlobs implements BlobPlace {
  readonly borrows: boolean;
  private readonly sources: readonly BlobSource[];
  private readonly sink: BlobSink;

  constructor({ sources, sink }: CacheBlobsParts) {
    this.sources = sources;
    this.sink = sink;
    this.borrows = sink.borrows ?? false;
  }

  async readMany(digests: readonly Digest[], take: TakeBatch, signal: AbortSignal): Promise<Digest[]> {
    let left = [...digests];
    for (const source of this.sources) {
      if (left.length > 0) left = await source.readMany(left, take, signal);
    }
    return left;
  }

  async *read(digest: Digest, offset: number, signal: AbortSignal, use?: PieceUse): AsyncGenerator<Uint8Array> {
    for (const [i, source] of this.sources.entries()) {
      try {
        yield* source.read(digest, offset, signal, use);
        return;
      } catch (error) {
        const isAbsent = error instanceof StillageError && error.code === "not-found";
        if (!isAbsent || i + 1 === this.sources.length) throw error;
      }
    }
  }

  expectWrites(): void {
    this.sink.expectWrites?.();
  }

  missing(digests: readonly Digest[], signal: AbortSignal): Promise<Digest[]> {
    return this.sink.missing(digests, signal);
  }

  writeMany(blobs: readonly WholeBlob[], signal: AbortSignal, memory?: ArrayBuffer): Promise<void> {
    return this.sink.writeMany(blobs, signal, memory);
  }

  write(digest: Digest, content: (offset: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    return this.sink.write(digest, content, signal);
  }

  flush(): Promise<void> {
    return this.sink.flush();
  }
}
