import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";

/**
 * Blobs up to this size go in batches, whole in memory; larger ones are streams. What a server of BuildStream takes by default is 1 MiB for a batch as a whole.
 */
export const maxSmallBytes = 512 << 10;

/** A blob, whole. */
export interface WholeBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Blobs that go together. */
export interface BlobBatch {
  readonly blobs: readonly WholeBlob[];
  /** Where all of them lie, and nothing else that is used: whoever has the batch may give it to a thread. */
  readonly memory: ArrayBuffer | undefined;
}

/** Takes blobs, whose bytes are its own from then on. Who gives them waits for it before he holds much more in memory. */
export type TakeBatch = (batch: BlobBatch) => MaybePromise<void>;

/** How long a piece of a blob is its taker's: for good, or until he asks for the next one, which spares as much memory as the blob has. */
export type PieceUse = "kept" | "borrowed";

/** For who takes them one after the other. */
export function oneByOne(take: (digest: Digest, bytes: Uint8Array) => MaybePromise<void>): TakeBatch {
  return async ({ blobs }) => {
    for (const { digest, bytes } of blobs) {
      const taken = take(digest, bytes);
      if (taken !== undefined) await taken;
    }
  };
}

/**
 * Where blobs come from. Errors of all methods: `unavailable` and `deadline` where the place is at fault (whatever can be tried again has been), `corrupt` where
 * bytes are not those of the digest, `cancelled` for the signal.
 */
export interface BlobSource {
  /**
   * Any number of blobs of at most `maxSmallBytes` each, in any order, several batches at a time where that is faster. `take` gets each once, verified. Gives those that
   * are not there.
   */
  readMany(digests: readonly Digest[], take: TakeBatch, signal: AbortSignal): Promise<Digest[]>;
  /**
   * The bytes of one blob of any size from `offset` on, in pieces that are kept unless told otherwise. A stream that breaks is gone on with where it broke. What is read from 0 on is verified at its end: a wrong blob throws. Errors: `not-found`.
   */
  read(digest: Digest, offset: number, signal: AbortSignal, use?: PieceUse): AsyncIterable<Uint8Array>;
  /** The size of a blob of which the hash alone is known, as in commits; `undefined` where it is not there. Left out where the place cannot tell. */
  sizeOf?(fn: DigestFunction, hash: string): MaybePromise<number | undefined>;
}

/** Where blobs go to. Errors as of a source, and `forbidden` and `exhausted`. */
export interface BlobSink {
  /** Said when many may come that are not known yet: what takes a while to get ready begins to. Left out where nothing does. */
  expectWrites?(): void;
  /** Whether it needs no piece of a `content` any more when it asks for the next one. */
  readonly borrows?: boolean;
  /** Those of `digests` that are not there, each once. Any number is asked for. The empty blob is always there. */
  missing(digests: readonly Digest[], signal: AbortSignal): Promise<Digest[]>;
  /**
   * Small blobs; the caller bounds their sum, and calls again beside this while it runs. Settles when they are there. Blobs
   * with their `memory` are a batch that a source gave: they are verified, and the memory is the place's from then on.
   */
  writeMany(blobs: readonly WholeBlob[], signal: AbortSignal, memory?: ArrayBuffer): Promise<void>;
  /**
   * One blob of any size. `content` gives its bytes from an offset on, and is called again where writing is gone on with. What it gives from 0 on it verifies at its end; of what was begun
   * elsewhere the whole is verified here. Settles when it is there.
   */
  write(digest: Digest, content: (offset: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Settles when everything that was written outlives a power cut, as far as the place gives such promises. Called before a name is given to it. */
  flush(): Promise<void>;
}
