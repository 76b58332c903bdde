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
  const { latest, before } = await latestUses(census, order, clock.before, slices);
  clock.resume(before, census.unsaved * 1000);
  const stamps = new Stamps(clock.read(), latest, census.resolution);
  const refBytes = order.length === 0 ? 0 : Math.ceil(refs.size().taken / order.length);
  return { plan: new Plan({ census, refs, order, stamps, settings, excess, atWorst, refBytes, slices }), stamps };
}

/**
 * The latest use that is noted of anything, in seconds since 1970, and the latest before `time`, in milliseconds as that is. What was used since may have
 * been used before, too; so a store tells what it knew when it was opened.
 */
async function latestUses(
  { tenants, lastUse }: StoreCensus,
  order: RefOrder,
  time: number,
  slices: Slices,
): Promise<{ latest: number; before: number | undefined }> {
  let latest = 0;
  let before = lastUse === undefined ? -1 : lastUse * 1000;
  const firstSecond = Math.floor(time / 1000);
  for (const { shelves } of tenants) {
    for (const shelf of shelves) {
      await inSlices(shelf.top, slices, (number) => {
        if (!shelf.has(number)) return;
        const used = shelf.used(number);
        if (used > latest) latest = used;
        if (lastUse === undefined && used < firstSecond) before = Math.max(before, used * 1000);
      });
    }
  }
  await inSlices(order.length, slices, (place) => {
    const used = order.used[place] as number;
    latest = Math.max(latest, Math.floor(used / 1000));
    if (used < time) before = Math.max(before, used);
  });
  return { latest, before: before < 0 ? undefined : before };
}
