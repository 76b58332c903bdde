import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestIndex } from "./digest-index.ts";

/** Settles when blobs are there or refused. That of many resolves, to why some were refused, by their positions; that of one rejects then. */
type Arriving = Promise<void> | Promise<ReadonlyMap<number, unknown>>;

/**
 * Blobs that are about to be there, for whoever comes with one of them meanwhile. A Map by their hashes would do as well, but takes several times as long: V8
 * looks each text that is a key up in a table of all that there are.
 */
export class Arrivals {
  /** `place` is the position in the party, `offset` the number of the party. */
  private readonly blobs: DigestIndex;
  /** Those that are stored together. */
  private readonly parties = new Map<number, Arriving>();
  private last = 0;

  constructor(fn: DigestFunction, seeds: readonly [number, number]) {
    this.blobs = new DigestIndex(fn, seeds, 0);
  }

  /** Settles as the blob does whose hash begins at `words[word]`; `undefined` where it is not on its way. */
  outcome(words: Uint32Array, word: number): Promise<void> | undefined {
    const entry = this.blobs.find(words, word);
    if (entry < 0) return undefined;
    return outcomeOf(this.parties.get(this.blobs.offset(entry)) as Arriving, this.blobs.place(entry));
  }

  /** Begins a party, and returns its number. */
  begin(arriving: Arriving): number {
    this.last = (this.last + 1) >>> 0;
    this.parties.set(this.last, arriving);
    return this.last;
  }

  /** Notes that a blob that is not on its way yet is so with a party. */
  add(words: Uint32Array, word: number, position: number, party: number): void {
    this.blobs.insert(words, word, 0, position, party, 0);
  }

  /** The blob, which was noted, has settled. */
  remove(words: Uint32Array, word: number): void {
    this.blobs.remove(this.blobs.find(words, word));
  }

  /** All blobs of a party have been removed. */
  end(party: number): void {
    this.parties.delete(party);
  }
}

async function outcomeOf(arriving: Arriving, position: number): Promise<void> {
  const failures = await arriving;
  if (failures instanceof Map && failures.has(position)) throw failures.get(position);
}
