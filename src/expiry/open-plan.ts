import type { Slices } from "../base/slices.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import type { RefAdmin, RefOrder } from "../store/ref-admin.ts";
import { inSlices } from "./in-slices.ts";
import type { ExpirySettings } from "./limits.ts";
import { Plan } from "./plan.ts";
import { Stamps } from "./stamps.ts";
import type { SweepClock } from "./sweep-clock.ts";

export interface Subject {
  readonly census: StoreCensus;
  readonly refs: Pick<RefAdmin, "rootsOf" | "size">;
  readonly order: RefOrder;
  readonly clock: SweepClock;
  readonly settings: ExpirySettings;
  /** Bytes that have to go so that there is room. */
  readonly excess: number;
  /** As in `PlanParts`. */
  readonly atWorst?: number | undefined;
  readonly slices: Slices;
}

/** A plan of what goes from a store as it is, with nothing chosen yet. */
export async function openPlan(subject: Subject): Promise<{ plan: Plan; stamps: Stamps }> {
  const { census, refs, order, clock, settings, excess, atWorst, slices } = subject;
  const { latest, before } = await latestUses(census, order, clock.before / 1000, slices);
  clock.resume(before === undefined ? undefined : before * 1000);
  const stamps = new Stamps(clock.read(), latest, census.resolution);
  const refBytes = order.length === 0 ? 0 : Math.ceil(refs.size().taken / order.length);
  return { plan: new Plan({ census, refs, order, stamps, settings, excess, atWorst, refBytes, slices }), stamps };
}

/** The latest use that is noted of anything, and the latest until `time`; in seconds since 1970. */
async function latestUses(
  { tenants }: StoreCensus,
  order: RefOrder,
  time: number,
  slices: Slices,
): Promise<{ latest: number; before: number | undefined }> {
  let latest = 0;
  let before = -1;
  const take = (used: number): void => {
    if (used > latest) latest = used;
    if (used <= time && used > before) before = used;
  };
  for (const { shelves } of tenants) {
    for (const shelf of shelves) {
      await inSlices(shelf.top, slices, (number) => {
        if (shelf.has(number)) take(shelf.used(number));
      });
    }
  }
  await inSlices(order.length, slices, (place) => take(Math.floor((order.used[place] as number) / 1000)));
  return { latest, before: before < 0 ? undefined : before };
}
