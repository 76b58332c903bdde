import { getRandomValues } from "node:crypto";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";

const firstSlots = 256;

/** Digests of one function, each once, in the order in which they came: a queue for walks that never go anywhere twice. */
export class DigestSet {
  readonly items: DigestList;
  /** Open addressing: positions in `items` plus one, 0 where free; at most half full. */
  private slots = new Uint32Array(firstSlots);
  /** Digests in messages need not be hashes of anything: factors that nobody can know keep made-up ones from meeting in one slot. */
  private readonly factors: Uint32Array;

  constructor(fn: DigestFunction) {
    this.items = new DigestList(fn);
    this.factors = getRandomValues(new Uint32Array(fn.words));
  }

  /** Whether digest `i` of a list is there. */
  has(list: DigestList, i: number): boolean {
    return this.slots[this.slotFor(list, i)] !== 0;
  }

  /** Adds digest `i` of a list unless it is there already; gives whether it was not. */
  add(list: DigestList, i: number): boolean {
    if ((this.items.length + 1) * 2 > this.slots.length) this.grow();
    const slot = this.slotFor(list, i);
    if (this.slots[slot] !== 0) return false;
    this.items.append(list, i);
    this.slots[slot] = this.items.length;
    return true;
  }

  /** The slot that holds the digest, or the free one where it belongs. */
  private slotFor(list: DigestList, i: number): number {
    const mask = this.slots.length - 1;
    const { words } = list.function;
    let mixed = 0;
    for (let w = 0; w < words; w++) {
      mixed = (mixed + Math.imul(list.words[i * words + w] as number, this.factors[w] as number)) | 0;
    }
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    for (;;) {
      const item = this.slots[slot] as number;
      if (item === 0 || this.same(item - 1, list, i)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private same(item: number, list: DigestList, i: number): boolean {
    const { items } = this;
    if (items.sizes[item] !== list.sizes[i]) return false;
    const { words } = items.function;
    for (let w = 0; w < words; w++) {
      if (items.words[item * words + w] !== list.words[i * words + w]) return false;
    }
    return true;
  }

  private grow(): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let i = 0; i < this.items.length; i++) this.slots[this.slotFor(this.items, i)] = i + 1;
  }
}
