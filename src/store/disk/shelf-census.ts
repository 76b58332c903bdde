import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import type { BlobCensus, MayGo, Removed } from "../blob-census.ts";
import type { BlobRemoval } from "./blob-removal.ts";
import { fileRoom, packedRoom } from "./blob-room.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";

/** The blobs of one shelf by number: that of their entry in the index, which is held until `release`. */
export class ShelfCensus implements BlobCensus {
  readonly function: DigestFunction;
  private readonly index: DigestIndex;
  private readonly removal: Pick<BlobRemoval, "remove">;

  constructor(index: DigestIndex, removal: Pick<BlobRemoval, "remove">) {
    this.function = index.function;
    this.index = index;
    this.removal = removal;
    index.hold();
  }

  get top(): number {
    return this.index.top;
  }

  find(words: Uint32Array, word: number): number {
    return this.index.find(words, word);
  }

  has(number: number): boolean {
    return this.index.has(number);
  }

  digest(number: number): Digest {
    return this.index.digest(number);
  }

  size(number: number): number {
    return this.index.size(number);
  }

  room(number: number): number {
    const { index } = this;
    const room = index.place(number) === inFile ? fileRoom : packedRoom;
    return room(this.function, index.size(number));
  }

  used(number: number): number {
    return this.index.used(number);
  }

  remove(numbers: ArrayLike<number>, mayGo: MayGo): Promise<Removed> {
    return this.removal.remove(numbers, mayGo);
  }

  /** The numbers may be given to other blobs from now on. To be called once. */
  release(): void {
    this.index.letGo();
  }
}
