import type { Slices } from "../base/slices.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import type { RefAdmin, RefKind, RefOrder } from "../store/ref-admin.ts";
import { inSlices } from "./in-slices.ts";
import { bits, marksOf, type TenantMarks } from "./marks.ts";
import { RefWalk } from "./ref-walk.ts";
import { Unread } from "./unread.ts";

/** Blobs, and the bytes that they take on the disk with their index records. */
export interface Amount {
  blobs: number;
  bytes: number;
}

/** Refs of one kind. What several kinds keep alive counts for each. */
export interface KindStats extends RefKind, Amount {
  refs: number;
  pinned: number;
  /** Last uses of those that are not pinned, in milliseconds since 1970; `undefined` where all are. */
  oldestUse: number | undefined;
  newestUse: number | undefined;
}

export interface InstanceStats extends Amount {
  readonly instance: string;
  /** Those that no ref reaches. */
  readonly unnamed: Amount;
  readonly kinds: readonly KindStats[];
}

export interface StatsParts {
  readonly census: StoreCensus;
  readonly refs: Pick<RefAdmin, "rootsOf">;
  readonly order: RefOrder;
  readonly slices: Slices;
}

/** What each instance has. Looks at every ref and every directory; below one that the disk does not give nothing is counted. */
export async function statsOf({ census, refs, order, slices }: StatsParts): Promise<InstanceStats[]> {
  const tenants = marksOf(census);
  const walk = new RefWalk(tenants, refs, slices, new Unread());
  const kinds: KindStats[] = [];
  for (const [place, kind] of order.kinds.entries()) {
    tenants.get(kind.instance)?.forgetWalks();
    const stats: KindStats = {
      ...kind,
      refs: 0,
      pinned: 0,
      oldestUse: undefined,
      newestUse: undefined,
      blobs: 0,
      bytes: 0,
    };
    kinds.push(stats);
    for (let i = 0; i < order.length; i++) {
      if (order.kind[i] !== place) continue;
      stats.refs++;
      if (i < order.pinned) stats.pinned++;
      else {
        stats.newestUse ??= order.used[i];
        stats.oldestUse = order.used[i];
      }
      await walk.from(order.ids[i] as number, (shelf, number) => {
        if (!shelf.begin(number, bits.counted)) return;
        shelf.reach(number, 1);
        stats.blobs++;
        stats.bytes += shelf.census.room(number);
      });
    }
  }
  const names = new Set([...tenants.keys(), ...kinds.map(({ instance }) => instance)]);
  const found: InstanceStats[] = [];
  for (const instance of [...names].sort()) {
    const amounts = await amountsOf(tenants.get(instance), slices);
    found.push({ instance, ...amounts, kinds: kinds.filter((each) => each.instance === instance) });
  }
  return found;
}

async function amountsOf(tenant: TenantMarks | undefined, slices: Slices): Promise<Amount & { unnamed: Amount }> {
  const all = { blobs: 0, bytes: 0, unnamed: { blobs: 0, bytes: 0 } };
  for (const { census, reached, top } of tenant?.shelves ?? []) {
    await inSlices(top, slices, (number) => {
      if (!census.has(number)) return;
      for (const each of reached[number] === 0 ? [all, all.unnamed] : [all]) {
        each.blobs++;
        each.bytes += census.room(number);
      }
    });
  }
  return all;
}
