import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";

/** The way into a store for bytes whose digest nobody knows before the last of them has come. */
export interface BlobStaging {
  /** Begins such a blob. Room is reserved as it grows. */
  stage(fn: DigestFunction): Promise<StagedBlob>;
}

/** A blob that is not one yet. Calls follow one another; exactly one of `finish` and `abort` ends it. */
export interface StagedBlob {
  /** Bytes taken so far. */
  readonly received: number;
  /** Takes the next bytes, which are free for other use once this settles. Errors: `exhausted`. */
  write(chunk: Uint8Array): MaybePromise<void>;
  /** What has come is all: the digest of it. Nothing is written after that. Errors: `invalid` where the function names no such bytes. */
  seal(): MaybePromise<Digest>;
  /** Makes what was sealed durable and publishes it; nothing more happens where the store has the blob already. Errors: `exhausted`. */
  finish(): Promise<void>;
  /** Forgets what came. Safe at any time, also after `finish`. */
  abort(): Promise<void>;
}
