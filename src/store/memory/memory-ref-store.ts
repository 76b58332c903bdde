import type { Clock } from "../../base/clock.ts";
import { listable } from "../artifact-refs.ts";
import { ListingVersions } from "../listing-versions.ts";
import type { ListedRef, RefAdmin, RefFilter, RefGroup, RefKind, RefOrder, RefRoots, RefsSize } from "../ref-admin.ts";
import { checkRef, putMeanwhile } from "../ref-limits.ts";
import type { NewRef, Ref, RefListing, RefName, RefStore, Space } from "../ref-store.ts";
import { type KeptRef, MemoryArtifactRefs } from "./memory-artifact-refs.ts";
import { groupsOf, listOf, OpenOrder } from "./memory-ref-order.ts";

const keyOf = ({ space, instance, name }: RefName): string => JSON.stringify([space, instance, name]);

/** Refs in memory: for tests, and as the contract of a store in its shortest form. */
export class MemoryRefStore implements RefStore, RefAdmin {
  readonly artifacts: MemoryArtifactRefs;
  private readonly refs = new Map<string, KeptRef>();
  private readonly clock: Clock;
  private readonly orders = new Set<OpenOrder>();
  private readonly versions: ListingVersions;
  private puts = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.versions = new ListingVersions(clock);
    this.artifacts = new MemoryArtifactRefs(this.refs, clock);
  }

  get(name: RefName): Ref | undefined {
    const kept = this.refs.get(keyOf(name));
    const now = this.clock();
    if (kept === undefined || (kept.expires !== undefined && kept.expires <= now)) return undefined;
    this.refs.set(keyOf(name), { ...kept, used: now });
    for (const order of this.orders) order.noteUse(kept.id);
    const { artifact: _, order: __, id: ___, ...ref } = kept;
    return ref;
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    if (!refs.every((ref) => this.isAsExpected(ref))) throw putMeanwhile();
    for (const {
      space,
      instance,
      name,
      message,
      roots,
      stored,
      used: usedNow = stored,
      expires,
      by,
      artifact,
    } of refs) {
      const before = this.refs.get(keyOf({ space, instance, name }));
      const used = Math.max(usedNow, before?.used ?? 0);
      const pinned = before?.pinned ?? false;
      const kept = {
        message: new Uint8Array(message),
        roots: [...roots],
        stored,
        expires,
        by,
        artifact: listable(artifact),
      };
      const order = ++this.puts;
      const id = before?.id ?? order;
      this.refs.set(keyOf({ space, instance, name }), { space, instance, name, pinned, used, ...kept, order, id });
      for (const each of this.orders) each.notePut(id);
    }
    this.versions.bump(refs);
  }

  async remove(name: RefName): Promise<void> {
    this.refs.delete(keyOf(name));
    this.versions.bump([name]);
  }

  count(space: Space): number {
    let count = 0;
    for (const ref of this.refs.values()) if (ref.space === space) count++;
    return count;
  }

  listed(kind: RefKind, known?: number): RefListing | undefined {
    const version = this.versions.of(kind);
    if (version === known) return undefined;
    const now = this.clock();
    const refs = [...this.refs.values()]
      .filter(({ space, instance }) => space === kind.space && instance === kind.instance)
      .filter(({ expires = Number.POSITIVE_INFINITY }) => expires > now)
      .map(({ name, message, expires }) => ({ name, message, expires }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    this.versions.noteListed(kind, version, refs);
    return { version, refs };
  }

  async order(): Promise<RefOrder> {
    const order: OpenOrder = new OpenOrder([...this.refs.values()], {
      evict: (ids) => this.evict(ids, order),
      close: () => void this.orders.delete(order),
    });
    this.orders.add(order);
    return order;
  }

  *rootsOf(ids: Iterable<number>): Generator<RefRoots, void> {
    const byId = new Map([...this.refs.values()].map((ref) => [ref.id, ref]));
    for (const id of ids) {
      const ref = byId.get(id);
      if (ref === undefined) continue;
      const { space, instance, name, roots, message } = ref;
      yield { id, space, instance, name, roots, message: space === "reference" ? message : undefined };
    }
  }

  async pin(name: RefName, pinned: boolean): Promise<boolean> {
    const kept = this.refs.get(keyOf(name));
    if (kept !== undefined) this.refs.set(keyOf(name), { ...kept, pinned });
    return kept !== undefined;
  }

  list(filter: RefFilter): Iterable<ListedRef> {
    return listOf([...this.refs.values()], filter);
  }

  groups(): RefGroup[] {
    return groupsOf([...this.refs.values()]);
  }

  size(): RefsSize {
    return { bytes: 0, free: 0, taken: 0 };
  }

  async close(): Promise<void> {}

  private isAsExpected({ over, ...name }: NewRef): boolean {
    const kept = this.refs.get(keyOf(name));
    const isThere = kept !== undefined && (kept.expires ?? Number.POSITIVE_INFINITY) > this.clock();
    return over === undefined || (over === null ? !isThere : isThere && Buffer.compare(over, kept.message) === 0);
  }

  private evict(ids: readonly number[], order: OpenOrder): number[] {
    const meant = new Set(ids);
    const stayed: number[] = [];
    for (const [key, { id, pinned, expires = Number.POSITIVE_INFINITY, space, instance }] of this.refs) {
      if (!meant.has(id)) continue;
      const held = pinned && expires > this.clock();
      if (held || !this.orders.has(order) || order.isNoted(id)) stayed.push(id);
      else {
        this.refs.delete(key);
        this.versions.bump([{ space, instance }]);
      }
    }
    return stayed;
  }
}
