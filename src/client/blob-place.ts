import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";

/**
 * Blobs up to this size go in batches, whole in memory; larger ones are streams. What a server of BuildStream takes by default is 1 MiB for a batch as a whole.
 */
export const maxSmallBytes = 512 << 10;

/**
 * Where blobs come from. Errors of all methods: `unavailable` and `deadline` where the place is at fault (whatever can be tried again has been), `corrupt` where
 * bytes are not those of the digest, `cancelled` for the signal.
 */
export interface BlobSource {
  /**
   * Any number of blobs of at most `maxSmallBytes` each, in any order, several at a time where that is faster. `take` gets each as soon as it is verified; the
   * bytes may be used only until it settles, and a source waits for it before it holds much more in memory. Gives those that are not there.
   */
  readMany(
    digests: readonly Digest[],
    take: (digest: Digest, bytes: Uint8Array) => MaybePromise<void>,
    signal: AbortSignal,
  ): Promise<Digest[]>;
  /**
   * The bytes of one blob of any size from `offset` on. A stream that breaks is gone on with where it broke. Whoever began at 0 verifies the whole. Errors: `not-found`.
   */
  read(digest: Digest, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The size of a blob of which the hash alone is known, as in commits; `undefined` where it is not there. Left out where the place cannot tell. */
  sizeOf?(fn: DigestFunction, hash: string): MaybePromise<number | undefined>;
}

/** A blob to be written, whole. */
export interface WholeBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Where blobs go to. Errors as of a source, and `forbidden` and `exhausted`. */
export interface BlobSink {
  /** Those of `digests` that are not there, each once. Any number is asked for. The empty blob is always there. */
  missing(digests: readonly Digest[], signal: AbortSignal): Promise<Digest[]>;
  /** Small blobs; the caller bounds their sum, and calls again beside this while it runs. Settles when they are there. */
  writeMany(blobs: readonly WholeBlob[], signal: AbortSignal): Promise<void>;
  /** One blob of any size. `content` gives its bytes from an offset on, and is called again where writing is gone on with. Settles when it is there, verified. */
  write(digest: Digest, content: (offset: number) => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Settles when everything that was written outlives a power cut, as far as the place gives such promises. Called before a name is given to it. */
  flush(): Promise<void>;
}
