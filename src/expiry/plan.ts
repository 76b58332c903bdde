import type { Slices } from "../base/slices.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import type { RefAdmin, RefKind, RefOrder } from "../store/ref-admin.ts";
import { ageOfInstance, ageOfKind, looseCutoff } from "./ages.ts";
import { BlobFates } from "./blob-fates.ts";
import { cutoff } from "./cutoff.ts";
import { inSlices } from "./in-slices.ts";
import { type ExpirySettings, type Limit, matches, showScope } from "./limits.ts";
import { bits, condemned, kept, marksOf, type ShelfMarks, type TenantMarks } from "./marks.ts";
import { RefTimes } from "./ref-times.ts";
import { RefWalk } from "./ref-walk.ts";
import type { Stamps } from "./stamps.ts";
import { Unread } from "./unread.ts";
import { Verdicts } from "./verdicts.ts";

export interface PlanParts {
  readonly census: StoreCensus;
  readonly refs: Pick<RefAdmin, "rootsOf">;
  readonly order: RefOrder;
  readonly stamps: Stamps;
  readonly settings: ExpirySettings;
  /** Bytes that have to go so that there is room. */
  readonly excess: number;
  /** Bytes that go where not as many as `excess` can; left out: all that may go. */
  readonly atWorst?: number | undefined;
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
  /** Not as much can go as has to. */
  unmet = false;
  /** Nothing goes: nothing had to be looked at. */
  idle = false;
  /** What the disk did not give. */
  readonly unread = new Unread();
  private readonly parts: PlanParts;
  private readonly tenants: ReadonlyMap<string, TenantMarks>;
  private readonly walk: RefWalk;
  /** How many there are of each kind. */
  private readonly refsOfKind: Uint32Array;

  constructor(parts: PlanParts) {
    const { census, order, stamps, slices } = parts;
    this.parts = parts;
    this.verdicts = new Verdicts(order);
    this.times = new RefTimes(order, stamps);
    this.tenants = marksOf(census);
    this.fates = new BlobFates([...this.tenants.values()], stamps, slices, this.unread);
    this.walk = new RefWalk(this.tenants, parts.refs, slices, this.unread);
    this.refsOfKind = new Uint32Array(order.kinds.length);
  }

  /** Chooses what goes. Errors: those of the disk, and the reason of the slices' signal. */
  async choose(): Promise<void> {
    const { settings } = this.parts;
    await this.takeByDate();
    for (const limit of settings.limits) await this.takeBeyondSpace(limit);
    this.idle = !(await this.mayTake());
    if (this.idle) return;
    await this.mark();
    for (const limit of settings.limits) await this.takeBeyondInstance(limit);
    await this.takeForRoom();
  }

  /** Whether anything may go, so that it has to be known what refs reach. */
  private async mayTake(): Promise<boolean> {
    const { settings, excess } = this.parts;
    if (this.verdicts.count > 0 || excess > 0) return true;
    for (const limit of settings.limits) {
      for (const tenant of this.tenantsOf(limit)) if ((await this.excessOf(tenant, limit)) > 0) return true;
    }
    return await this.fates.any();
  }

  private async takeForRoom(): Promise<void> {
    const { stamps, excess, atWorst = excess } = this.parts;
    const { leaseStart } = stamps;
    const all = (take: (time: number, bytes: number) => void): Promise<void> => this.candidates(() => true, take);
    this.before = await cutoff(all, excess, leaseStart);
    this.unmet = excess > 0 && this.before === leaseStart;
    // Nothing is won by removing everything for what finds no room all the same.
    if (this.unmet && atWorst < excess) this.before = await cutoff(all, atWorst, leaseStart);
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
    const dated = new Set<string>();
    await inSlices(order.length, slices, (place) => {
      const kind = order.kind[place] as number;
      const age = ages[kind];
      this.refsOfKind[kind] = (this.refsOfKind[kind] as number) + 1;
      const expiry = order.expires[place] as number;
      if (expiry !== Number.POSITIVE_INFINITY) dated.add(times.kind(place).instance);
      // Nobody is served by it any more; it goes once its lease is over, so that its blobs can go along.
      const expired = expiry / 1000 <= stamps.ageNow && !times.leased(place);
      if (expired) verdicts.evict(place, expires);
      else if (age !== undefined && times.at(place) < age.before && !times.pinned(place))
        verdicts.evict(place, age.reason);
    });
    for (const instance of this.tenants.keys()) {
      this.fates.raise(instance, ageOfInstance(instance, settings, stamps)?.before ?? 0);
      this.fates.raiseLoose(instance, looseCutoff(instance, dated.has(instance), settings, stamps));
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
    const { stamps } = this.parts;
    for (const tenant of this.tenantsOf(limit)) {
      const { instance } = tenant;
      const meant = (kind: Pick<RefKind, "instance">): boolean => kind.instance === instance;
      const excess = await this.excessOf(tenant, limit);
      const before = await cutoff((take) => this.candidates(meant, take), excess, stamps.leaseStart);
      if (before === 0) continue;
      await this.takeOlder(meant, before, this.verdicts.reason("size", showScope(limit)));
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
      if (!meant(times.kind(place))) return;
      if (verdicts.goes(place)) take(0, refBytes);
      else if (!times.pinned(place)) take(times.at(place), refBytes);
    });
  }

  /** The instances whose size a limit is about. */
  private tenantsOf({ instance, space, size }: Limit): TenantMarks[] {
    if (space !== undefined || size === undefined) return [];
    return [...this.tenants.values()].filter((each) => (instance ?? each.instance) === each.instance);
  }

  /** Bytes that an instance has beyond its size. */
  private async excessOf(tenant: TenantMarks, { size = 0 }: Limit): Promise<number> {
    const { order, refBytes } = this.parts;
    let refs = 0;
    for (const [i, kind] of order.kinds.entries()) {
      if (kind.instance === tenant.instance) refs += this.refsOfKind[i] as number;
    }
    return (await this.fates.bytesOf(tenant)) + refs * refBytes - size;
  }
}
