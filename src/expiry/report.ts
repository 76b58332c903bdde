import type { RefKind, RefOrder } from "../store/ref-admin.ts";
import type { Plan } from "./plan.ts";
import type { RemovedBlobs } from "./removal.ts";
import type { Reason } from "./verdicts.ts";

/** Refs of one kind that went for one reason. */
export interface EvictedRefs extends RefKind, Reason {
  refs: number;
}

/** What a sweep came to. */
export interface SweepReport {
  /** Refs that there were. */
  readonly refs: number;
  readonly evicted: readonly EvictedRefs[];
  /** Refs that were to go, and stayed because they were used or put meanwhile. */
  readonly stayed: number;
  readonly removed: Readonly<RemovedBlobs>;
  /** What was used before this had to go for the room, in seconds since 1970; 0 where there was room. */
  readonly before: number;
  /** Bytes on the disk before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly seconds: number;
}

/** The refs that a plan lets go, but for those that stayed, by kind and reason. */
export function evictedOf({ verdicts, times }: Plan, order: RefOrder, stayed: ReadonlySet<number>): EvictedRefs[] {
  const counts = new Map<string, EvictedRefs>();
  for (let place = 0; place < order.length; place++) {
    const reason = verdicts.of(place);
    if (reason === undefined || stayed.has(order.ids[place] as number)) continue;
    const { space, instance } = times.kind(place);
    const key = JSON.stringify([space, instance, reason]);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { space, instance, ...reason, refs: 1 });
    else known.refs++;
  }
  return [...counts.values()];
}
