import type { RefOrder } from "../store/ref-admin.ts";
import type { ShelfMarks, TenantMarks } from "./marks.ts";
import type { Plan } from "./plan.ts";
import type { Stamps } from "./stamps.ts";

/** Refs that are evicted with one call, which makes several transactions of them. */
const refsAtOnce = 250;

/** Blobs that are removed with one call: some milliseconds of work, which the store divides, and one sync of each index file. */
const blobsAtOnce = 4096;

/** What was removed. */
export interface RemovedBlobs {
  blobs: number;
  /** On the disk; those of small blobs are free once their packs are compacted. */
  bytes: number;
}

/** Carries a plan out: refs first, then what none of the others reaches. */
export class Removal {
  /** Refs that were to go and were used or put again meanwhile. */
  stayed = new Set<number>();
  readonly removed: RemovedBlobs = { blobs: 0, bytes: 0 };
  /** What failed first; the rest was gone on with. */
  failure: unknown;
  private readonly plan: Plan;
  private readonly order: RefOrder;
  private readonly stamps: Stamps;
  private readonly reach: (point: "refs evicted" | "blobs swept") => void;

  /** `reach` is told of each step. */
  constructor(plan: Plan, order: RefOrder, stamps: Stamps, reach: (point: "refs evicted" | "blobs swept") => void) {
    this.reach = reach;
    this.plan = plan;
    this.order = order;
    this.stamps = stamps;
  }

  /**
   * Evicts the refs that go. A crash leaves each of them there or gone. Where it cannot be written, those that are left stay. Errors: the signal's reason.
   */
  async evictRefs(signal: AbortSignal): Promise<void> {
    const { ids, length } = this.order;
    const batch: number[] = [];
    const evict = async (): Promise<void> => {
      try {
        const stayed = this.failure === undefined ? await this.order.evict(batch) : batch;
        for (const id of stayed) this.stayed.add(id);
      } catch (error) {
        this.failure ??= error;
        for (const id of batch) this.stayed.add(id); // some of them may have gone: those keep nothing
      }
      batch.length = 0;
      this.reach("refs evicted");
    };
    // The oldest first: what is evicted is at no time newer than what is not.
    for (let place = length - 1; place >= 0; place--) {
      if (this.plan.verdicts.goes(place)) batch.push(ids[place] as number);
      if (batch.length < refsAtOnce) continue;
      await evict();
      signal.throwIfAborted();
    }
    if (batch.length > 0) await evict();
  }

  /**
   * Removes the blobs that go. What refs reach that stayed after all, and that are put while this runs, is kept. A crash leaves blobs that no ref names;
   * they go as such. What cannot be removed stays. Errors: the signal's reason.
   */
  async removeBlobs(signal: AbortSignal): Promise<void> {
    this.plan.forgetWalks();
    await this.plan.keep([...this.stayed]);
    for (const [tenant, shelf] of this.plan.shelves()) {
      for (let from = 0; from < shelf.top; ) {
        from = await this.removeFrom(tenant, shelf, from);
        signal.throwIfAborted();
      }
    }
  }

  /** Removes the next blobs from a number on; returns where it ended. */
  private async removeFrom(tenant: TenantMarks, shelf: ShelfMarks, from: number): Promise<number> {
    const found = await this.plan.fates.nextThatGo(tenant, shelf, from, blobsAtOnce);
    for (let put = this.order.since(); put.length > 0; put = this.order.since()) await this.plan.keep(put);
    // From here to the call below nothing else has a turn: what goes now is reached by no ref, and has not been used.
    const still = found.numbers.filter((number) => this.plan.fates.goes(tenant, shelf, number));
    if (still.length === 0) return found.end;
    try {
      // The store rests meanwhile, and what is used then stays.
      const { blobs, bytes } = await shelf.census.remove(still, (used) => !this.stamps.leased(used));
      this.removed.blobs += blobs;
      this.removed.bytes += bytes;
    } catch (error) {
      this.failure ??= error;
    }
    this.reach("blobs swept");
    return found.end;
  }
}
