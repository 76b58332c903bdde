import type { ListedRef, RefFilter, RefGroup, RefKind, RefOrder } from "../ref-admin.ts";
import type { KeptRef } from "./memory-artifact-refs.ts";

export interface OrderActions {
  readonly evict: (ids: readonly number[]) => number[];
  readonly close: () => void;
}

/** Refs in the order of their use, with what happened to them since. */
export class OpenOrder implements RefOrder {
  readonly length: number;
  readonly pinned: number;
  readonly ids: Float64Array;
  readonly used: Float64Array;
  readonly expires: Float64Array;
  readonly kind: Uint32Array;
  readonly kinds: readonly RefKind[];
  private readonly actions: OrderActions;
  private readonly noted = new Set<number>();
  private put = new Set<number>();

  constructor(refs: readonly KeptRef[], actions: OrderActions) {
    const sorted = refs.toSorted((a, b) => Number(b.pinned) - Number(a.pinned) || b.used - a.used || a.id - b.id);
    const kinds = new Map<string, { readonly place: number; readonly kind: RefKind }>();
    this.length = refs.length;
    this.pinned = refs.filter(({ pinned }) => pinned).length;
    this.ids = Float64Array.from(sorted, ({ id }) => id);
    this.used = Float64Array.from(sorted, ({ used }) => used);
    this.expires = Float64Array.from(sorted, ({ expires }) => expires ?? Number.POSITIVE_INFINITY);
    this.kind = Uint32Array.from(sorted, ({ space, instance }) => {
      const name = `${space} ${instance}`;
      const found = kinds.get(name) ?? { place: kinds.size, kind: { space, instance } };
      kinds.set(name, found);
      return found.place;
    });
    this.kinds = [...kinds.values()].map(({ kind }) => kind);
    this.actions = actions;
  }

  noteUse(id: number): void {
    this.noted.add(id);
  }

  notePut(id: number): void {
    this.noted.add(id);
    this.put.add(id);
  }

  isNoted(id: number): boolean {
    return this.noted.has(id);
  }

  since(): number[] {
    const ids = [...this.put];
    this.put = new Set();
    return ids;
  }

  async evict(ids: readonly number[]): Promise<number[]> {
    return this.actions.evict(ids);
  }

  close(): void {
    this.actions.close();
  }
}

export function listOf(refs: readonly KeptRef[], { space, instance, pinned }: RefFilter): ListedRef[] {
  const meant = refs.filter(
    (ref) =>
      (space ?? ref.space) === ref.space &&
      (instance ?? ref.instance) === ref.instance &&
      (pinned ?? ref.pinned) === ref.pinned,
  );
  meant.sort(
    (a, b) =>
      compare(a.instance, b.instance) ||
      compare(a.space, b.space) ||
      Number(b.pinned) - Number(a.pinned) ||
      b.used - a.used ||
      a.id - b.id,
  );
  return meant.map(({ message: _, roots: __, artifact: ___, order: ____, ...ref }) => ref);
}

export function groupsOf(refs: readonly KeptRef[]): RefGroup[] {
  const groups = Map.groupBy(refs, ({ space, instance }) => `${space} ${instance}`);
  return [...groups.values()].map((group) => {
    const { space, instance } = group[0] as KeptRef;
    const uses = group.filter(({ pinned }) => !pinned).map(({ used }) => used);
    const oldestUse = uses.length === 0 ? undefined : Math.min(...uses);
    return { space, instance, refs: group.length, pinned: group.length - uses.length, oldestUse };
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
