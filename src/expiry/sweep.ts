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
  readonly clock: SweepClock;
  readonly slices: Slices;
  readonly signal: AbortSignal;
  /** Told of each step that is done. */
  readonly reach: (point: SweepPoint) => void;
}

/**
 * Removes what is to go: chooses, evicts refs, removes blobs that no other ref reaches, and compacts. A crash anywhere leaves refs that are there or gone,
 * each whole, and blobs that nobody names. Errors: those of the disk, and the signal's reason.
 */
export async function sweep(parts: SweepParts): Promise<SweepReport> {
  const { blobs, reach, signal } = parts;
  const started = performance.now();
  const bytesBefore = blobs.usage().bytes;
  const swept = await sweepOnce(parts);
  await blobs.compact(signal);
  reach("sweep compacted");
  const seconds = (performance.now() - started) / 1000;
  return { ...swept, bytesBefore, bytesAfter: blobs.usage().bytes, seconds };
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
    const { plan, stamps } = await openPlan({ census, refs, order, clock, settings, excess, slices });
    reach("sweep planned");
    await plan.choose();
    reach("sweep marked");
    const removal = new Removal(plan, order, stamps, reach);
    await removal.evictRefs(signal);
    await removal.removeBlobs(signal);
    const { stayed, removed } = removal;
    const evicted = evictedOf(plan, order, stayed);
    return { refs: order.length, evicted, stayed: stayed.size, removed, before: plan.before };
  } finally {
    census.close();
    order.close();
  }
}
