import type { Caller } from "../base/caller.ts";
import { StillageError } from "../base/errors.ts";
import type { Peer } from "../base/peer.ts";
import { type AdmissionCounts, type Bounded, LocalCounts } from "./admission-counts.ts";

/** How much may be going on at a time: in all, and for one client. */
export interface Bound {
  readonly all: number;
  readonly client: number;
}

export type Bounds = Readonly<Record<Bounded, Bound>>;

/** The bounds, as they are set. */
export interface LimitSettings {
  readonly maxConnections: number;
  readonly maxClientConnections: number;
  readonly maxCalls: number;
  readonly maxClientCalls: number;
  readonly maxUploads: number;
  readonly maxClientUploads: number;
}

export function boundsOf(settings: LimitSettings): Bounds {
  return {
    connections: { all: settings.maxConnections, client: settings.maxClientConnections },
    calls: { all: settings.maxCalls, client: settings.maxClientCalls },
    uploads: { all: settings.maxUploads, client: settings.maxClientUploads },
  };
}

/** When whoever is refused may try again. */
const retryAfterMs = 1000;

/** A place that somebody has; given back once. */
export interface Place {
  leave(): void;
}

/** A place of what needs none. */
export const nowhere: Place = { leave: () => {} };

/**
 * Counts what is going on, and refuses what would be too much with `unavailable`: the one answer after which every client waits and
 * tries again. A client is whoever has shown who he is, and without that an address; what comes from this machine may be a proxy's, which stands for many, and has
 * no bound but that of all.
 */
export class Admission {
  private readonly bounds: Bounds;
  private readonly counts: AdmissionCounts;
  private readonly refusals: Record<Bounded, number> = { connections: 0, calls: 0, uploads: 0 };

  constructor(bounds: Bounds, counts: AdmissionCounts = new LocalCounts()) {
    this.bounds = bounds;
    this.counts = counts;
  }

  /** Errors: `unavailable`. */
  connection({ network, local }: Peer): Place {
    return this.enter("connections", local ? undefined : network);
  }

  /** Errors: `unavailable`. */
  call(peer: Peer, caller: Caller): Place {
    return this.enter("calls", clientOf(peer, caller));
  }

  /** Errors: `unavailable`. */
  upload({ peer, caller }: { readonly peer: Peer; readonly caller: Caller }): Place {
    return this.enter("uploads", clientOf(peer, caller));
  }

  /** How many of them there are in this thread. */
  current(kind: Bounded): number {
    return this.counts.here(kind);
  }

  /** How many have been refused here since the start. */
  refused(kind: Bounded): number {
    return this.refusals[kind];
  }

  private enter(kind: Bounded, client: string | undefined): Place {
    const { counts } = this;
    const bound = this.bounds[kind];
    if (counts.all(kind) >= bound.all) throw this.refusal(kind, "", bound.all);
    if (client !== undefined && counts.client(kind, client) >= bound.client) {
      throw this.refusal(kind, " of one client", bound.client);
    }
    counts.add(kind, client, 1);
    let here = true;
    return {
      leave: () => {
        if (!here) return;
        here = false;
        counts.add(kind, client, -1);
      },
    };
  }

  private refusal(kind: Bounded, whose: string, bound: number): StillageError {
    this.refusals[kind]++;
    return new StillageError("unavailable", `${bound} ${kind}${whose} are as many as are served at a time`, {
      hint: "try again in a moment",
      retryAfterMs,
    });
  }
}

/** Who counts as one client; `undefined` for what comes from this machine and has not shown who it is. */
export function clientOf({ network, local }: Peer, { identified, name }: Caller): string | undefined {
  if (identified) return name;
  return local ? undefined : network;
}
