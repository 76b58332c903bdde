import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { DigestList } from "../base/digest-list.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";

/** Immutable bytes by digest, to be read. The empty blob of each function that has one is always there. A blob is seen whole or not at all. */
export interface BlobReader {
  /** Positions in `digests`, ascending, of what is not there; a duplicate is listed at each of its positions. Extends the life of the rest. */
  missing(digests: DigestList): MaybePromise<number[]>;

  /** The size of a blob of which a client knows the hash alone; `undefined` where there is none. */
  sizeOf(fn: DigestFunction, hash: string): MaybePromise<number | undefined>;

  /**
   * The same of many, with the sizes of `hashes` left aside: -1 where there is none. Extends the life of the others.
   */
  sizesOf(hashes: DigestList): MaybePromise<Float64Array>;

  /** A blob to read from; `undefined` where there is none. The caller closes it. */
  open(digest: Digest): MaybePromise<Blob | undefined>;

  /**
   * Small blobs, whole, in the order asked, as encoded `responses` entries of a BatchReadBlobsResponse
   * (each: tag 0x0a, length, digest, data): the form in which packs hold them, so that they go out as they lie.
   * The caller bounds the sum of sizes.
   */
  readBatch(digests: DigestList): MaybePromise<BatchRead>;
}

/**
 * What one tenant has. The empty blob is never stored. Promises of every backend: what `put` and `Upload.finish` have acknowledged is
 * verified against its digest and durable; `missing` calls present only what `open` then finds.
 */
export interface BlobStore extends BlobReader {
  /**
   * Stores a blob that is at hand whole. Resolves once it is durable; at once where it exists already (the bytes are verified all the same).
   * `bytes` must not change until then. Errors: `invalid` when hash or size differ; `exhausted`.
   */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;

  /**
   * Stores each blob of a batch as `put` does, at a small part of the cost. Resolves, never rejects, once none of them is under way, to why those failed that did, by their
   * positions. The batch must not change until then.
   */
  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>>;

  /** Begins a blob that comes in pieces. Reserves its size: `exhausted` where it does not fit. */
  upload(digest: Digest): Promise<Upload>;
}

/** Blobs of one function that are at hand whole, in one piece of memory. A blob may be there twice. */
export interface BlobBatch {
  readonly digests: DigestList;
  readonly bytes: Uint8Array;
  /** Where in `bytes` each blob begins, … */
  readonly starts: readonly number[];
  /** … how long it is, which its digest may contradict, … */
  readonly lengths: readonly number[];
  /**
   * … and whether before it, byte for byte, stands what does in the entry of a BatchReadBlobsResponse with just this digest and length (`batch-entry.ts`), but for
   * the first byte, the tag: such entries are copied as they lie, neighbours in one go.
   */
  readonly framed: readonly boolean[];
}

/** An open blob. */
export interface Blob {
  readonly digest: Digest;
  /** Fills `buffer` with the bytes from `position` on; the range lies inside the blob. Errors: `corrupt`. */
  read(buffer: Uint8Array, position: number): MaybePromise<void>;
  close(): void;
}

export interface BatchRead {
  /** The entries that were found, in pieces to be sent one after the other. */
  readonly parts: readonly Uint8Array[];
  /** Sum of the parts' lengths. */
  readonly bytes: number;
  /** Positions of the digests that are not there. */
  readonly missing: readonly number[];
  /** Gives the memory of `parts` back; they must not be used afterwards. */
  release(): void;
}

/** A blob on its way in. Calls follow one another; exactly one of `finish` and `abort` ends it. */
export interface Upload {
  readonly digest: Digest;
  /** Bytes taken so far. */
  readonly received: number;
  /** Takes the next bytes, which are free for other use once this settles. `invalid` beyond the digest's size. */
  write(chunk: Uint8Array): MaybePromise<void>;
  /** Nothing more comes for a while: gives back what memory it can. Writing goes on as before. */
  rest(): Promise<void>;
  /** Verifies, makes durable and publishes. `invalid` when hash or size differ: nothing is stored then. */
  finish(): Promise<void>;
  /** Forgets what came. Safe at any time, also after `finish`. */
  abort(): Promise<void>;
}

/** What a store holds, in bytes on disk and blobs. */
export interface StoreUsage {
  readonly blobs: number;
  /** All that counts: the three below, and what is promised to uploads. */
  readonly bytes: number;
  /** What the blobs that are there take. */
  readonly live: number;
  /** What is left of removed ones, until it is compacted. */
  readonly dead: number;
  /** What others have on the disk and the quota limits, too. */
  readonly others: number;
  /** The hard limit; `undefined` where there is none. */
  readonly quota: number | undefined;
}

/** What one tenant has of that. */
export type TenantUsage = Pick<StoreUsage, "blobs" | "live" | "dead">;

/** Administration, which no door receives. */
export interface BlobStoreAdmin {
  usage(): StoreUsage;
  /** Counts removals: what was complete stays so while this number stays. */
  removals(): number;
  close(): Promise<void>;
}
