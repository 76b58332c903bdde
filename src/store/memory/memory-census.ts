import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import type { BlobCensus, MayGo, Removed } from "../blob-census.ts";

/** A blob in memory; its place in the store's list is its number. */
export interface MemoryBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** Seconds since 1970. */
  used: number;
}

/** What the census needs of the store. Numbers are never used again. */
export interface Numbered {
  readonly list: readonly (MemoryBlob | undefined)[];
  remove(digest: Digest): Promise<void>;
}

/** The blobs of one function of a store in memory. */
export class MemoryCensus implements BlobCensus {
  readonly function: DigestFunction;
  private readonly store: Numbered;

  constructor(fn: DigestFunction, store: Numbered) {
    this.function = fn;
    this.store = store;
  }

  get top(): number {
    return this.store.list.length;
  }

  find(words: Uint32Array, word: number): number {
    const list = new DigestList(this.function, 1);
    list.words.set(words.subarray(word, word + this.function.words));
    const { hash } = list.at(0);
    return this.store.list.findIndex((each) => each?.digest.hash === hash && each.digest.function === this.function);
  }

  has(number: number): boolean {
    return this.store.list[number]?.digest.function === this.function;
  }

  digest(number: number): Digest {
    return this.blob(number).digest;
  }

  size(number: number): number {
    return this.blob(number).bytes.length;
  }

  room(number: number): number {
    return this.size(number);
  }

  used(number: number): number {
    return this.blob(number).used;
  }

  async remove(numbers: ArrayLike<number>, mayGo: MayGo): Promise<Removed> {
    let [blobs, bytes] = [0, 0];
    for (const number of Array.from(numbers)) {
      if (!this.has(number) || !mayGo(this.used(number))) continue;
      blobs++;
      bytes += this.room(number);
      await this.store.remove(this.digest(number));
    }
    return { blobs, bytes };
  }

  private blob(number: number): MemoryBlob {
    return this.store.list[number] as MemoryBlob;
  }
}
