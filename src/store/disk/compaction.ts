import { setTimeout } from "node:timers/promises";
import type { DiskContext } from "./disk-context.ts";
import type { Pack } from "./pack.ts";
import { type Compacted, isWorthCopying, reclaimable, type ShelfCompaction } from "./shelf-compaction.ts";

/** A step of copying is followed by a rest of the same length, so that half of what the disk and the thread can do is left to others; but not a longer one. */
const maxRestMs = 500;

interface Candidate {
  readonly shelf: ShelfCompaction;
  readonly pack: Pack;
}

/** What was done since the store was opened. */
export interface Compactions extends Compacted {
  readonly running: boolean;
}

/** Gives the room of dead records in packs back to the disk, a pack at a time. */
export class Compaction {
  private readonly shelves: () => Iterable<ShelfCompaction>;
  private readonly context: DiskContext;
  private running: Promise<Compacted> | undefined;
  private packs = 0;
  private copied = 0;
  private freed = 0;

  /** `shelves` gives those that there are now. */
  constructor(shelves: () => Iterable<ShelfCompaction>, context: DiskContext) {
    this.shelves = shelves;
    this.context = context;
  }

  /**
   * Deletes packs without live records, then copies what is live in others and deletes those, until little is dead, or `signal` is aborted. Whoever calls
   * meanwhile gets the same. Errors: those of the file system, for which the pack that was being copied stays.
   */
  run(signal?: AbortSignal): Promise<Compacted> {
    if (this.running !== undefined) return this.running;
    const { underWay } = this.context;
    const running = this.compact(signal).finally(() => {
      this.running = undefined;
      underWay.delete(running);
    });
    this.running = running;
    underWay.add(running);
    return running;
  }

  /** Those that have ended. */
  sum(): Compactions {
    const { packs, copied, freed } = this;
    return { packs, copied, freed, running: this.running !== undefined };
  }

  private add({ packs, copied, freed }: Compacted): void {
    this.packs += packs;
    this.copied += copied;
    this.freed += freed;
  }

  private async compact(signal: AbortSignal | undefined): Promise<Compacted> {
    const { context } = this;
    const goesOn = (): boolean => !context.closed && signal?.aborted !== true;
    using _ = context.space.makingRoom();
    const shelves = [...this.shelves()];
    const done = new Set<Pack>(); // some of them may have had to stay
    try {
      for (const shelf of shelves) if (goesOn()) await shelf.deleteDead();
      while (goesOn()) {
        const best = this.best(shelves, done);
        if (best === undefined) break;
        done.add(best.pack);
        await this.compactOne(best, goesOn);
      }
    } finally {
      for (const shelf of shelves) this.add(shelf);
    }
    const sum = (of: (shelf: ShelfCompaction) => number): number => shelves.reduce((all, each) => all + of(each), 0);
    return { packs: sum(({ packs }) => packs), copied: sum(({ copied }) => copied), freed: sum(({ freed }) => freed) };
  }

  /** The pack with the most dead bytes for each live one; `undefined` where little is dead in all. */
  private best(shelves: readonly ShelfCompaction[], done: ReadonlySet<Pack>): Candidate | undefined {
    let dead = 0;
    let best: Candidate | undefined;
    for (const shelf of shelves) {
      for (const pack of shelf.all()) {
        dead += pack.dead;
        if (!isWorthCopying(pack) || pack.unreadable || done.has(pack)) continue;
        if (best === undefined || pack.dead * best.pack.live > best.pack.dead * pack.live) best = { shelf, pack };
      }
    }
    const { used, others } = this.context.space;
    return reclaimable(dead, used - others) === 0 ? undefined : best;
  }

  private async compactOne({ shelf, pack }: Candidate, goesOn: () => boolean): Promise<void> {
    const { space, log } = this.context;
    const rest = async (worked: number): Promise<boolean> => {
      if (!space.isShort) await setTimeout(Math.min(worked, maxRestMs));
      return goesOn();
    };
    try {
      await shelf.compact(pack, rest);
    } catch (error) {
      if (this.context.closed) return;
      if (!pack.unreadable) throw error; // it is not for this pack that others would not do better
      log.error({ pack: pack.path, error }, "a pack cannot be read, and stays as it is");
    }
  }
}
