import type { ThreadLine } from "../../base/thread-line.ts";
import type { StoreAsks } from "./store-desk.ts";

/** Twice the largest blob that goes through a slab. */
export const slabBytes = 2 << 20;

/** Idle slabs that are kept. */
const keptSlabs = 4;

interface Slab {
  readonly number: number;
  readonly bytes: Uint8Array;
  used: number;
  /** Parts of it that somebody still looks at. */
  out: number;
}

/**
 * Memory that this thread and that of the store share: small blobs are copied here once, and the store lays them out in its packs from
 * here. A slab is used again once all that was put into it is stored: at most one is in use for each put under way.
 */
export class PutSlabs {
  private readonly line: ThreadLine<StoreAsks>;
  private current: Slab | undefined;
  private readonly free: Slab[] = [];
  private last = 0;

  constructor(line: ThreadLine<StoreAsks>) {
    this.line = line;
  }

  /** Has so many bytes (at most `slabBytes`), which `fill` writes, in shared memory until what `use` returns settles. `at` is a multiple of 8. */
  async share<T>(
    length: number,
    fill: (into: Uint8Array) => void,
    use: (slab: number, at: number) => Promise<T>,
  ): Promise<T> {
    const slab = this.slabFor(length);
    const at = slab.used;
    fill(slab.bytes.subarray(at, at + length));
    slab.used += aligned(length);
    slab.out++;
    try {
      return await use(slab.number, at);
    } finally {
      this.letGo(slab);
    }
  }

  private slabFor(length: number): Slab {
    const { current } = this;
    if (current !== undefined && current.used + length <= slabBytes) return current;
    const next = this.free.pop() ?? this.make();
    this.current = next;
    return next;
  }

  private letGo(slab: Slab): void {
    if (--slab.out > 0) return;
    slab.used = 0;
    if (slab !== this.current) this.retire(slab);
  }

  private retire(slab: Slab): void {
    slab.used = 0;
    if (this.free.length < keptSlabs) this.free.push(slab);
    else this.line.tell("dropSlab", slab.number);
  }

  private make(): Slab {
    const memory = new SharedArrayBuffer(slabBytes);
    const slab = { number: ++this.last, bytes: new Uint8Array(memory), used: 0, out: 0 };
    this.line.tell("slab", slab.number, memory);
    return slab;
  }
}

/** The next multiple of 8: typed arrays of any kind may begin there. */
export function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}
