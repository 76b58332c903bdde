import type { Slices } from "../base/slices.ts";
import { inSlices } from "./in-slices.ts";
import { condemned, type ShelfMarks, type TenantMarks } from "./marks.ts";
import type { Stamps } from "./stamps.ts";
import type { Unread } from "./unread.ts";

/** Blobs between two looks at the clock. */
const piece = 256;

/**
 * Which blobs go: those of an instance that are older than its cutoff, and not leased. A blob is as new as its own last use, and as the newest ref
 * that reaches it; what only condemned refs reach is as old as anything, and what no ref reaches as new as a ref below which it may lie unseen.
 */
export class BlobFates {
  private readonly tenants: Iterable<TenantMarks>;
  private readonly stamps: Stamps;
  private readonly slices: Slices;
  private readonly unread: Unread;
  private readonly cutoffs = new Map<string, number>();
  private readonly looseCutoffs = new Map<string, number>();

  constructor(tenants: Iterable<TenantMarks>, stamps: Stamps, slices: Slices, unread: Unread) {
    this.tenants = tenants;
    this.stamps = stamps;
    this.slices = slices;
    this.unread = unread;
  }

  /** Lets what was used before this time, in seconds since 1970, go from an instance. */
  raise(instance: string, before: number): void {
    this.cutoffs.set(instance, Math.max(this.raisedTo(instance), before));
  }

  /** As `raise`, for what no ref reaches. */
  raiseLoose(instance: string, before: number): void {
    this.looseCutoffs.set(instance, before);
  }

  /** As it is marked now. */
  goes({ instance }: TenantMarks, shelf: ShelfMarks, number: number): boolean {
    return (
      shelf.census.has(number) &&
      !this.leased(shelf, number) &&
      this.timeOf(instance, shelf, number) < this.cutoffOf(instance, shelf, number)
    );
  }

  /** Whether any blob goes. */
  async any(): Promise<boolean> {
    for (const tenant of this.tenants) {
      for (const shelf of tenant.shelves) {
        const { numbers } = await this.nextThatGo(tenant, shelf, 0, 1);
        if (numbers.length > 0) return true;
      }
    }
    return false;
  }

  /** Everything that may go from an instance as `cutoff` wants it; what goes already has the time 0. */
  async candidates(tenant: TenantMarks, take: (time: number, bytes: number) => void): Promise<void> {
    const { instance } = tenant;
    for (const shelf of tenant.shelves) {
      const { census } = shelf;
      await inSlices(shelf.top, this.slices, (number) => {
        if (!census.has(number) || this.leased(shelf, number)) return;
        const time = this.timeOf(instance, shelf, number);
        take(time < this.cutoffOf(instance, shelf, number) ? 0 : time, census.room(number));
      });
    }
  }

  /** Calls `each` for every blob that goes. */
  async eachThatGoes(each: (tenant: TenantMarks, shelf: ShelfMarks, number: number) => void): Promise<void> {
    for (const tenant of this.tenants) {
      for (const shelf of tenant.shelves) {
        await inSlices(shelf.top, this.slices, (number) => {
          if (this.goes(tenant, shelf, number)) each(tenant, shelf, number);
        });
      }
    }
  }

  /** The numbers of the next blobs that go, at most so many, and where to go on behind them. */
  async nextThatGo(
    tenant: TenantMarks,
    shelf: ShelfMarks,
    from: number,
    count: number,
  ): Promise<{ numbers: number[]; end: number }> {
    const numbers: number[] = [];
    let number = from;
    while (number < shelf.top && numbers.length < count) {
      const until = Math.min(shelf.top, number + piece);
      for (; number < until && numbers.length < count; number++) {
        if (this.goes(tenant, shelf, number)) numbers.push(number);
      }
      if (this.slices.over) await this.slices.rest();
    }
    return { numbers, end: number };
  }

  /** Bytes of an instance's blobs. */
  async bytesOf({ shelves }: TenantMarks): Promise<number> {
    let bytes = 0;
    for (const { census, top } of shelves) {
      await inSlices(top, this.slices, (number) => {
        if (census.has(number)) bytes += census.room(number);
      });
    }
    return bytes;
  }

  private leased({ census }: ShelfMarks, number: number): boolean {
    return this.stamps.leased(census.used(number));
  }

  private timeOf(instance: string, { census, reached }: ShelfMarks, number: number): number {
    const time = reached[number] as number;
    if (time === condemned) return condemned;
    return Math.max(time === 0 ? this.unread.newest(instance) : time, this.stamps.of(census.used(number)));
  }

  private cutoffOf(instance: string, { reached }: ShelfMarks, number: number): number {
    const before = this.raisedTo(instance);
    return reached[number] === 0 ? Math.max(before, this.looseCutoffs.get(instance) ?? 0) : before;
  }

  private raisedTo(instance: string): number {
    return this.cutoffs.get(instance) ?? condemned + 1;
  }
}
