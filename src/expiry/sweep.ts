import type { Slices } from "../base/slices.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import type { RefAdmin } from "../store/ref-admin.ts";
import type { ExpirySettings } from "./limits.ts";
import { openPlan } from "./open-plan.ts";
import { Removal } from "./removal.ts";
import { evictedOf, type SweepReport } from "./report.ts";
import type { SweepClock } from "./sweep-clock.ts";

/** What a sweep needs of the store of blobs. */
export interface SweptBlobs {
  census(): StoreCensus;
  /** `reclaimable`: of the bytes, those that `compact` gives back without a sweep. */
  usage(): { readonly bytes: number; readonly reclaimable: number };
  /** Gives the space of removed blobs back. */
  compact(signal: AbortSignal): Promise<unknown>;
}

/** Steps of a sweep, which tests ask to be told of; refs and blobs go in several. */
export type SweepPoint = "sweep planned" | "sweep marked" | "refs evicted" | "blobs swept" | "sweep compacted";

export interface SweepParts {
  readonly blobs: SweptBlobs;
  readonly refs: RefAdmin;
  readonly settings: ExpirySettings;
  /** Bytes that may stay on the disk; `undefined`: as many as there are. */
  readonly leave: number | undefined;
  /** Bytes that may stay where so few as `leave` says cannot be reached; left out: as few as may be. */
  readonly atWorst?: number | undefined;
  readonly clock: SweepClock;
  readonly slices: Slices;
  readonly signal: AbortSignal;
  /** Told of each step that is done. */
  readonly reach: (point: SweepPoint) => void;
}

/**
 * Removes what is to go: chooses, evicts refs, removes blobs that no other ref reaches, and compacts. A crash anywhere leaves refs that are there or gone,
 * each whole, and blobs that nobody names. Where something cannot be read or removed the rest goes all the same, and room is made of what is dead, before the
 * failure is thrown: a disk that is full refuses to write until there is some. Errors: those of the disk, and the signal's reason.
 */
export async function sweep(parts: SweepParts): Promise<SweepReport> {
  const { blobs, reach, signal } = parts;
  const started = performance.now();
  const bytesBefore = blobs.usage().bytes;
  const [swept] = await Promise.allSettled([sweepOnce(parts)]);
  if (swept.status === "fulfilled" || !signal.aborted) {
    const [compacted] = await Promise.allSettled([blobs.compact(signal)]);
    if (swept.status === "fulfilled" && compacted.status === "rejected") throw compacted.reason;
  }
  if (swept.status === "rejected") throw swept.reason;
  reach("sweep compacted");
  const seconds = (performance.now() - started) / 1000;
  return { ...swept.value, bytesBefore, bytesAfter: blobs.usage().bytes, seconds };
}

/** Bytes that have to go. What is dead already comes back by compaction. */
export function excessOf(
  { bytes, reclaimable }: { readonly bytes: number; readonly reclaimable: number },
  leave: number | undefined,
): number {
  return leave === undefined ? 0 : bytes - reclaimable - leave;
}

async function sweepOnce(parts: SweepParts): Promise<Omit<SweepReport, "bytesBefore" | "bytesAfter" | "seconds">> {
  const { blobs, refs, settings, clock, slices, reach, signal } = parts;
  const order = await refs.order();
  const census = blobs.census();
  try {
    const excess = excessOf(blobs.usage(), parts.leave);
    const atWorst = parts.atWorst === undefined ? undefined : excessOf(blobs.usage(), parts.atWorst);
    const { plan, stamps } = await openPlan({ census, refs, order, clock, settings, excess, atWorst, slices });
    reach("sweep planned");
    await plan.choose();
    reach("sweep marked");
    const removal = new Removal(plan, order, stamps, reach);
    if (!plan.idle) {
      await removal.evictRefs(signal);
      await removal.removeBlobs(signal);
    }
    if (removal.failure !== undefined) throw removal.failure;
    const { stayed, removed } = removal;
    const evicted = await evictedOf(plan, order, stayed, slices);
    const { before, unmet, unread } = plan;
    return { refs: order.length, evicted, stayed: stayed.size, removed, before, unmet, unread: unread.blobs };
  } finally {
    census.close();
    order.close();
  }
}
