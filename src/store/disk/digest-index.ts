import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { hexOfWords } from "../../base/digest-list.ts";
import { notedAhead } from "../noted-ahead.ts";

/**
 * Where a blob lies, as two numbers. `place`: the slot of its pack; or `inFile`, with the upper part of the size below it.
 * `offset`: where its record begins in the pack; or the serial number of its file.
 */
export const inFile = 0x80000000;
const free = 0x7fffffff; // the place of an entry that is not in use
const fields = 4; // place, offset, lower 32 bits of the size, last use in seconds since 1970
const chunkBits = 13;
const chunkMask = (1 << chunkBits) - 1;
const firstCapacity = 1 << 10;

/**
 * The blobs of one function in memory: which there are, where each lies, and when it was last used. Entries lie in chunks of
 * typed arrays and are named by number; an open-addressing table (linear probing, at most three quarters full) leads from a hash to
 * its entry. Beside each slot stand eight bits of the hash, so that a look-up touches hardly any entry but the right one.
 * A blob takes 48 bytes for a 32-byte hash, and 7 to 13 of the table: at most 61 MB a million.
 */
export class DigestIndex {
  readonly function: DigestFunction;
  /** Blobs that are there. */
  count = 0;
  /** Places with blobs that were used since somebody emptied this. */
  readonly touched = new Set<number>();
  private readonly width: number;
  private readonly chunks: Uint32Array[] = [];
  /** Entries ever used; those below that are free are linked through their offset. */
  top = 0;
  private firstFree = -1;
  /** While some hold the numbers, those that become free are linked apart, to be joined with the others at the end. */
  private holders = 0;
  private firstHeld = -1;
  private lastHeld = -1;
  private readonly resolution: number;
  private slots: Uint32Array;
  private tags: Uint8Array;
  private shift: number;
  private readonly seedA: number;
  private readonly seedB: number;

  /**
   * The seeds, random 32-bit numbers, keep a client from choosing hashes that meet in one place of the table. Uses of a blob that are closer
   * than `resolution`, in seconds, count as one.
   */
  constructor(fn: DigestFunction, seeds: readonly [number, number], resolution: number) {
    this.function = fn;
    this.resolution = resolution;
    this.width = fn.words + fields;
    this.seedA = seeds[0] | 1;
    this.seedB = seeds[1] | 1;
    this.slots = new Uint32Array(firstCapacity);
    this.tags = new Uint8Array(firstCapacity);
    this.shift = 32 - Math.log2(firstCapacity);
  }

  /** The entry of the hash that begins at `words[word]`, or -1. */
  find(words: Uint32Array, word: number): number {
    const { tags, slots } = this;
    const mask = tags.length - 1;
    const mixed = this.mix(words[word] as number, words[word + 1] as number);
    const tag = mixed & 0xff || 1;
    for (let slot = mixed >>> this.shift; ; slot = (slot + 1) & mask) {
      const found = tags[slot];
      if (found === 0) return -1;
      if (found === tag && this.isHash(slots[slot] as number, words, word)) return slots[slot] as number;
    }
  }

  /** The entry of a hash and a size, or -1. */
  findSized(words: Uint32Array, word: number, size: number): number {
    const entry = this.find(words, word);
    return entry >= 0 && this.size(entry) === size ? entry : -1;
  }

  /** Adds a blob that is not there. `place` and `offset` as above, without the size in it. */
  insert(words: Uint32Array, word: number, size: number, place: number, offset: number, used: number): void {
    if ((this.count + 1) * 4 > this.tags.length * 3) this.resize(this.tags.length * 2);
    const entry = this.allocate();
    const chunk = this.chunks[entry >>> chunkBits] as Uint32Array;
    const at = (entry & chunkMask) * this.width;
    const hashEnd = at + this.function.words;
    for (let to = at, from = word; to < hashEnd; ) chunk[to++] = words[from++] as number;
    chunk[hashEnd] = place === inFile ? inFile + Math.floor(size / 0x100000000) : place;
    chunk[hashEnd + 1] = offset;
    chunk[hashEnd + 2] = size;
    chunk[hashEnd + 3] = used;
    this.link(entry, words[word] as number, words[word + 1] as number);
    this.count++;
  }

  remove(entry: number): void {
    const mask = this.tags.length - 1;
    const { chunk, at } = this.locate(entry);
    let hole = this.mix(chunk[at] as number, chunk[at + 1] as number) >>> this.shift;
    while (this.tags[hole] === 0 || this.slots[hole] !== entry) hole = (hole + 1) & mask;
    // Whatever lies behind and may move closer to its own place does, so that no search ends early at the hole.
    for (let next = (hole + 1) & mask; this.tags[next] !== 0; next = (next + 1) & mask) {
      const other = this.locate(this.slots[next] as number);
      const home = this.mix(other.chunk[other.at] as number, other.chunk[other.at + 1] as number) >>> this.shift;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.slots[hole] = this.slots[next] as number;
      this.tags[hole] = this.tags[next] as number;
      hole = next;
    }
    this.tags[hole] = 0;
    const hashEnd = at + this.function.words;
    chunk[hashEnd] = free;
    if (this.holders === 0) {
      chunk[hashEnd + 1] = this.firstFree;
      this.firstFree = entry;
    } else {
      if (this.firstHeld < 0) this.lastHeld = entry;
      chunk[hashEnd + 1] = this.firstHeld;
      this.firstHeld = entry;
    }
    this.count--;
  }

  /** From now on no entry that becomes free is given to another blob, until `letGo` was called as often. */
  hold(): void {
    this.holders++;
  }

  letGo(): void {
    if (--this.holders > 0 || this.firstHeld < 0) return;
    const { chunk, at } = this.locate(this.lastHeld);
    chunk[at + this.function.words + 1] = this.firstFree;
    this.firstFree = this.firstHeld;
    this.firstHeld = -1;
  }

  /** Whether an entry below `top` is that of a blob. */
  has(entry: number): boolean {
    return entry >= 0 && entry < this.top && this.field(entry, 0) !== free;
  }

  /** Where the hash of an entry stands: it begins at `chunk[at]`, and does so as long as the entry is in use. */
  locate(entry: number): { chunk: Uint32Array; at: number } {
    return { chunk: this.chunks[entry >>> chunkBits] as Uint32Array, at: (entry & chunkMask) * this.width };
  }

  digest(entry: number): Digest {
    const { chunk, at } = this.locate(entry);
    return { function: this.function, hash: hexOfWords(chunk, at, at + this.function.words), size: this.size(entry) };
  }

  /** The slot of the pack, or `inFile`. */
  place(entry: number): number {
    return Math.min(this.field(entry, 0), inFile);
  }

  offset(entry: number): number {
    return this.field(entry, 1);
  }

  size(entry: number): number {
    const place = this.field(entry, 0);
    const low = this.field(entry, 2);
    return place >= inFile ? (place - inFile) * 0x100000000 + low : low;
  }

  /** Says that a blob lies in another pack now. */
  move(entry: number, place: number, offset: number): void {
    const { chunk, at } = this.locate(entry);
    chunk[at + this.function.words] = place;
    chunk[at + this.function.words + 1] = offset;
  }

  /** Hands the entries from `from` to before `to` whose blobs lie in packs to `take`, with the slot of the pack. */
  eachPacked(from: number, to: number, take: (entry: number, slot: number) => void): void {
    for (let entry = from; entry < to; entry++) {
      const place = this.field(entry, 0);
      if (place < free) take(entry, place);
    }
  }

  /** Seconds since 1970. */
  used(entry: number): number {
    return this.field(entry, 3);
  }

  /** The latest use that is noted of those before a time, all in seconds since 1970. */
  lastUse(before: number): number | undefined {
    let latest = -1;
    for (let entry = this.next(0); entry >= 0; entry = this.next(entry + 1)) {
      const used = this.used(entry);
      if (used > latest && used < before) latest = used;
    }
    return latest < 0 ? undefined : latest;
  }

  /** Notes a use, to within the resolution. */
  touch(entry: number, now: number): void {
    const chunk = this.chunks[entry >>> chunkBits] as Uint32Array;
    const at = (entry & chunkMask) * this.width + this.function.words;
    const used = chunk[at + 3] as number;
    if (now - used < this.resolution && (used <= now || used * 1000 <= notedAhead())) return;
    chunk[at + 3] = now;
    this.touched.add(Math.min(chunk[at] as number, inFile));
  }

  /** The last use of a blob if it lies just there, else `undefined`. */
  usedAt(words: Uint32Array, word: number, place: number, offset: number): number | undefined {
    const entry = this.find(words, word);
    const there = entry >= 0 && this.place(entry) === place && this.offset(entry) === offset;
    return there ? this.used(entry) : undefined;
  }

  /** The first entry from `from` on that is in use, or -1. */
  private next(from: number): number {
    for (let entry = from; entry < this.top; entry++) if (this.field(entry, 0) !== free) return entry;
    return -1;
  }

  /** Makes room for this many more in one step. */
  reserve(more: number): void {
    let capacity = this.tags.length;
    while ((this.count + more) * 4 > capacity * 3) capacity *= 2;
    if (capacity !== this.tags.length) this.resize(capacity);
  }

  private mix(first: number, second: number): number {
    const sum = Math.imul(first, this.seedA) + Math.imul(second, this.seedB);
    return (sum ^ (sum >>> 15)) >>> 0;
  }

  private isHash(entry: number, words: Uint32Array, word: number): boolean {
    const chunk = this.chunks[entry >>> chunkBits] as Uint32Array;
    const at = (entry & chunkMask) * this.width;
    for (let w = 0; w < this.function.words; w++) if (chunk[at + w] !== words[word + w]) return false;
    return true;
  }

  private field(entry: number, which: number): number {
    const chunk = this.chunks[entry >>> chunkBits] as Uint32Array;
    return chunk[(entry & chunkMask) * this.width + this.function.words + which] as number;
  }

  private allocate(): number {
    if (this.firstFree >= 0) {
      const entry = this.firstFree;
      this.firstFree = this.field(entry, 1) | 0; // -1 came in as 0xffffffff
      return entry;
    }
    if (this.top >>> chunkBits === this.chunks.length) this.chunks.push(new Uint32Array(this.width << chunkBits));
    return this.top++;
  }

  private link(entry: number, first: number, second: number): void {
    const mask = this.tags.length - 1;
    const mixed = this.mix(first, second);
    let slot = mixed >>> this.shift;
    while (this.tags[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
    this.tags[slot] = mixed & 0xff || 1;
  }

  private resize(capacity: number): void {
    this.slots = new Uint32Array(capacity);
    this.tags = new Uint8Array(capacity);
    this.shift = 32 - Math.log2(capacity);
    for (let entry = this.next(0); entry >= 0; entry = this.next(entry + 1)) {
      const { chunk, at } = this.locate(entry);
      this.link(entry, chunk[at] as number, chunk[at + 1] as number);
    }
  }
}
