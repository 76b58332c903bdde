import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { BlobReader } from "./blob-store.ts";

/** The blobs of one function of one tenant by number, for whoever decides what stays. The empty blob has none. */
export interface BlobCensus {
  readonly function: DigestFunction;
  /** All numbers are below this, which grows as blobs come. */
  readonly top: number;
  /** The number of the blob whose hash begins at `words[word]`, or -1. */
  find(words: Uint32Array, word: number): number;
  /** Whether there is a blob of this number; the others below answer for such a one alone. */
  has(number: number): boolean;
  digest(number: number): Digest;
  size(number: number): number;
  /** The bytes that it takes on the disk, with its record in the index. */
  room(number: number): number;
  /** Its last use as noted, in seconds since 1970: the true one is at most `StoreCensus.resolution` later. */
  used(number: number): number;
  /**
   * Removes those of the numbers whose noted use, looked up again at the moment of removal, `mayGo` says yes to; a number without a blob counts for
   * nothing. They are missing at once, a slice at a time; resolves once all of that is durable. Where a part fails the rest is removed all the
   * same, and then the failure is thrown. `bytes` is the sum of `room`, which for small blobs is free once their packs are compacted.
   */
  remove(numbers: ArrayLike<number>, mayGo: MayGo): Promise<Removed>;
}

/** Whether a blob may go that was last used at a time, in seconds since 1970 as noted. */
export type MayGo = (used: number) => boolean;

export interface Removed {
  readonly blobs: number;
  readonly bytes: number;
}

export interface TenantCensus {
  readonly instance: string;
  readonly shelves: readonly BlobCensus[];
  /** Reads without counting as use. */
  readonly reader: BlobReader;
}

/**
 * All that a store has. While it is open, the number of a blob that is removed goes to no other; a tenant or a function that gets its first
 * blob meanwhile is not in it.
 */
export interface StoreCensus {
  readonly tenants: readonly TenantCensus[];
  /** How much later than noted, in seconds, the last use of a blob may be. */
  readonly resolution: number;
  /**
   * The last use that was noted before this process had the store, in seconds since 1970; `undefined` where none was, or nobody has looked when it
   * was opened.
   */
  readonly lastUse?: number | undefined;
  /** How much of what was noted then a crash of the process before may have cost, in seconds: uses are written down as often. */
  readonly unsaved: number;
  close(): void;
}
