import type { Slices } from "../base/slices.ts";
import type { RefKind, RefOrder } from "../store/ref-admin.ts";
import { inSlices } from "./in-slices.ts";
import type { Plan } from "./plan.ts";
import type { RemovedBlobs } from "./removal.ts";
import type { UnreadBlob } from "./unread.ts";
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
  /** Not as much could go for the room as had to. */
  readonly unmet: boolean;
  /** The first of the blobs that the disk did not give: what no ref reaches may lie below them, and stays as long as what leads to them. */
  readonly unread: readonly UnreadBlob[];
  /** Bytes on the disk before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly seconds: number;
}

/** The refs that a plan lets go, but for those that stayed, by kind and reason. */
export async function evictedOf(
  { verdicts }: Plan,
  order: RefOrder,
  stayed: ReadonlySet<number>,
  slices: Slices,
): Promise<EvictedRefs[]> {
  const { kinds } = order;
  // A row of kinds for each reason, those that stay included.
  const counts = new Uint32Array((verdicts.reasons.length + 1) * kinds.length);
  await inSlices(verdicts.count === 0 ? 0 : order.length, slices, (place) => {
    if (stayed.has(order.ids[place] as number)) return;
    const at = verdicts.reasonOf(place) * kinds.length + (order.kind[place] as number);
    counts[at] = (counts[at] as number) + 1;
  });
  return verdicts.reasons.flatMap((reason, i) =>
    kinds.flatMap(({ space, instance }, k) => {
      const refs = counts[(i + 1) * kinds.length + k] as number;
      return refs === 0 ? [] : { space, instance, ...reason, refs };
    }),
  );
}
