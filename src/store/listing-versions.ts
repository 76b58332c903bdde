import type { Clock } from "../base/clock.ts";
import type { RefKind } from "./ref-admin.ts";
import type { NamedRef } from "./ref-store.ts";

interface KindState {
  version: number;
  /** When the first of the refs that were listed expires, in milliseconds since 1970. */
  until: number;
}

/** Numbers for what the listings of each kind of refs show: another one as soon as a ref comes, changes, goes, or expires. */
export class ListingVersions {
  private readonly clock: Clock;
  private readonly kinds = new Map<string, KindState>();
  private last = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The number of what is there now. */
  of(kind: RefKind): number {
    const state = this.stateOf(kind);
    if (state.until <= this.clock()) this.renew(state);
    return state.version;
  }

  /** Something has changed in these kinds. */
  bump(kinds: Iterable<RefKind>): void {
    for (const kind of kinds) {
      const state = this.kinds.get(keyOfKind(kind));
      if (state !== undefined) this.renew(state); // else nobody has asked for its number
    }
  }

  /** What was listed under a number, which ends when the first of it expires. */
  noteListed(kind: RefKind, version: number, refs: readonly NamedRef[]): void {
    const state = this.stateOf(kind);
    if (state.version !== version) return;
    for (const { expires } of refs) if (expires !== undefined && expires < state.until) state.until = expires;
  }

  private stateOf(kind: RefKind): KindState {
    const key = keyOfKind(kind);
    let state = this.kinds.get(key);
    if (state === undefined) {
      state = { version: ++this.last, until: Number.POSITIVE_INFINITY };
      this.kinds.set(key, state);
    }
    return state;
  }

  private renew(state: KindState): void {
    state.version = ++this.last;
    state.until = Number.POSITIVE_INFINITY;
  }
}

/** A key of maps. No space has a blank. */
export function keyOfKind({ space, instance }: RefKind): string {
  return `${space} ${instance}`;
}
