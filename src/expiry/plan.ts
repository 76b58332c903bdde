import type { Slices } from "../base/slices.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import type { RefAdmin, RefKind, RefOrder } from "../store/ref-admin.ts";
import { ageOfInstance, ageOfKind } from "./ages.ts";
import { BlobFates } from "./blob-fates.ts";
import { cutoff } from "./cutoff.ts";
import { inSlices } from "./in-slices.ts";
import { type ExpirySettings, type Limit, matches, showScope } from "./limits.ts";
import { bits, condemned, kept, marksOf, type ShelfMarks, type TenantMarks } from "./marks.ts";
import { RefTimes } from "./ref-times.ts";
import { RefWalk } from "./ref-walk.ts";
import type { Stamps } from "./stamps.ts";
import { Verdicts } from "./verdicts.ts";

export interface PlanParts {
  readonly census: StoreCensus;
  readonly refs: Pick<RefAdmin, "rootsOf">;
  readonly order: RefOrder;
  readonly stamps: Stamps;
  readonly settings: ExpirySettings;
  /** Bytes that have to go so that there is room. */
  readonly excess: number;
  /** Bytes that a ref takes by itself. */
  readonly refBytes: number;
  readonly slices: Slices;
}

/**
 * What is to go, and why. Refs that their own date, an age or the limit of a space takes are chosen first. What the others reach is marked, most
 * recently used first, so that each blob has the time of the newest ref that leads to it. Then for each instance that has too much, and for all
 * together, there is a time before which everything goes. What was used within the lease stays.
 */
export class Plan {
  readonly verdicts: Verdicts;
  readonly times: RefTimes;
  readonly fates: BlobFates;
  /** What was used before this goes, in seconds since 1970; 0 where there is room. */
  before = 0;
  private readonly parts: PlanParts;
  private readonly tenants: ReadonlyMap<string, TenantMarks>;
  private readonly walk: RefWalk;

  constructor(parts: PlanParts) {
    const { census, order, stamps, slices } = parts;
    this.parts = parts;
    this.verdicts = new Verdicts(order);
    this.times = new RefTimes(order, stamps);
    this.tenants = marksOf(census);
    this.fates = new BlobFates([...this.tenants.values()], stamps, slices);
    this.walk = new RefWalk(this.tenants, parts.refs, slices);
  }

  /** Chooses what goes. Errors: those of the disk, and the reason of the slices' signal. */
  async choose(): Promise<void> {
    const { settings, stamps, excess } = this.parts;
    await this.takeByDate();
    for (const limit of settings.limits) await this.takeBeyondSpace(limit);
    await this.mark();
    for (const limit of settings.limits) await this.takeBeyondInstance(limit);
    this.before = await cutoff((take) => this.candidates(() => true, take), excess, stamps.leaseStart);
    if (this.before === 0) return;
    await this.takeOlder(() => true, this.before, this.verdicts.reason("quota"));
    for (const instance of this.tenants.keys()) this.fates.raise(instance, this.before);
  }

  /** Keeps everything that refs keep alive which turned out to stay, or were put in the meantime. */
  async keep(ids: readonly number[]): Promise<void> {
    for (const id of ids) await this.walk.from(id, (shelf, number) => shelf.reach(number, kept));
  }

  /** Lets `keep` walk what was walked for refs that go. */
  forgetWalks(): void {
    for (const tenant of this.tenants.values()) tenant.forgetWalks();
  }

  /** The places of the refs that go, the most recently used first. */
  *chosen(): Generator<number, void> {
    for (let place = 0; place < this.parts.order.length; place++) if (this.verdicts.goes(place)) yield place;
  }

  /** Every shelf of every instance. */
  *shelves(): Generator<[TenantMarks, ShelfMarks], void> {
    for (const tenant of this.tenants.values()) for (const shelf of tenant.shelves) yield [tenant, shelf];
  }

  private async takeByDate(): Promise<void> {
    const { order, settings, stamps, slices } = this.parts;
    const { times, verdicts } = this;
    const expires = verdicts.reason("expires");
    const ages = order.kinds.map((kind) => {
      const age = ageOfKind(kind, settings, stamps);
      return age && { before: age.before, reason: verdicts.reason("age", age.scope) };
    });
    await inSlices(order.length, slices, (place) => {
      const age = ages[order.kind[place] as number];
      const expired = (order.expires[place] as number) / 1000 <= stamps.ageNow;
      if (expired && !times.pinned(place)) verdicts.evict(place, expires);
      else if (age !== undefined && times.at(place) < age.before && !times.pinned(place))
        verdicts.evict(place, age.reason);
    });
    for (const instance of this.tenants.keys()) {
      this.fates.raise(instance, ageOfInstance(instance, settings, stamps)?.before ?? 0);
    }
  }

  /** Takes the refs of a space, in each instance that is meant, that do not fit its limit beside the more recently used ones. */
  private async takeBeyondSpace(limit: Limit): Promise<void> {
    if (limit.space === undefined || limit.size === undefined) return;
    const reason = this.verdicts.reason("size", showScope(limit));
    for (const kind of this.parts.order.kinds)
      if (matches(limit, kind)) await this.takeBeyond(kind, limit.size, reason);
  }

  private async takeBeyond(kind: RefKind, size: number, reason: number): Promise<void> {
    const { order, refBytes, slices } = this.parts;
    const { times, verdicts } = this;
    this.tenants.get(kind.instance)?.forgetWalks();
    let bytes = 0;
    for (const place of times.inOrder()) {
      if (slices.over) await slices.rest();
      if (times.kind(place) !== kind || verdicts.goes(place)) continue;
      bytes += refBytes;
      if (bytes <= size) {
        await this.walk.from(order.ids[place] as number, (shelf, number) => {
          if (shelf.begin(number, bits.counted)) bytes += shelf.census.room(number);
        });
      }
      if (bytes > size && !times.held(place)) verdicts.evict(place, reason);
    }
  }

  /** Gives every blob the time of its newest ref, of those that stay as far as is known now. */
  private async mark(): Promise<void> {
    const { order, slices } = this.parts;
    const { times, verdicts } = this;
    this.forgetWalks();
    for (const going of [false, true]) {
      for (const place of times.inOrder()) {
        if (slices.over) await slices.rest();
        if (verdicts.goes(place) !== going) continue;
        const used = times.pinned(place) ? kept : Math.max(condemned + 1, times.at(place));
        const time = going ? condemned : used;
        await this.walk.from(order.ids[place] as number, (shelf, number) => shelf.reach(number, time));
      }
    }
  }

  private async takeBeyondInstance(limit: Limit): Promise<void> {
    if (limit.space !== undefined || limit.size === undefined) return;
    const { stamps } = this.parts;
    const reason = this.verdicts.reason("size", showScope(limit));
    for (const [instance, tenant] of this.tenants) {
      if ((limit.instance ?? instance) !== instance) continue;
      const meant = (kind: Pick<RefKind, "instance">): boolean => kind.instance === instance;
      const excess = (await this.fates.bytesOf(tenant)) + this.bytesOfRefs(instance) - limit.size;
      const before = await cutoff((take) => this.candidates(meant, take), excess, stamps.leaseStart);
      if (before === 0) continue;
      await this.takeOlder(meant, before, reason);
      this.fates.raise(instance, before);
    }
  }

  private async takeOlder(
    meant: (kind: Pick<RefKind, "instance">) => boolean,
    before: number,
    reason: number,
  ): Promise<void> {
    const { times, verdicts } = this;
    await inSlices(this.parts.order.length, this.parts.slices, (place) => {
      if (times.pinned(place) || times.at(place) >= before || verdicts.goes(place)) return;
      if (meant(times.kind(place))) verdicts.evict(place, reason);
    });
  }

  /** Everything in some instances that may go for its age; what goes already has the time 0. */
  private async candidates(
    meant: (kind: Pick<RefKind, "instance">) => boolean,
    take: (time: number, bytes: number) => void,
  ): Promise<void> {
    for (const tenant of this.tenants.values()) if (meant(tenant)) await this.fates.candidates(tenant, take);
    const { order, refBytes, slices } = this.parts;
    const { times, verdicts } = this;
    if (refBytes === 0) return;
    await inSlices(order.length, slices, (place) => {
      if (!meant(times.kind(place)) || times.pinned(place)) return;
      if (verdicts.goes(place)) take(0, refBytes);
      else take(times.at(place), refBytes);
    });
  }

  private bytesOfRefs(instance: string): number {
    const { order, refBytes } = this.parts;
    let refs = 0;
    for (let place = 0; place < order.length; place++) if (this.times.kind(place).instance === instance) refs++;
    return refs * refBytes;
  }
}
