import { LruMap } from "../../base/lru-map.ts";
import type { Peer } from "../../base/peer.ts";
import type { SummaryPair } from "./summary-pair.ts";

/** How long who got a signature gets the summary that it is of. A client asks for one right after the other. */
const promisedMs = 60_000;

/** The same for another connection from the same address, which may also be another client's. */
const promisedToAddressMs = 10_000;

/** Who asks by the same connection so soon is whoever got the signature by it, whatever others at his address got meanwhile. */
const atOnceMs = 1000;

/** Addresses that are remembered. */
const maxAddresses = 1000;

/** A pair may hold megabytes: at most so many are kept. */
const maxKept = 16;

interface Promised {
  readonly key: string;
  /** By the monotonic clock. */
  readonly since: number;
}

/** Who was given which signature: he gets the summary that belongs to it, even where there is a newer one by now. */
export class PromisedPairs {
  private readonly now: () => number;
  private readonly connections = new WeakMap<Peer, Promised>();
  private readonly addresses = new LruMap<string, Promised>(maxAddresses);
  /** The pairs by their keys, and until when they may be asked for; the one that was given out last is the last. */
  private readonly kept = new Map<string, { readonly pair: SummaryPair; readonly until: number }>();

  /** `now`: milliseconds of a clock that only goes on. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** The client has got the pair's signature, or was told that there is none. */
  promise(peer: Peer, pair: SummaryPair): void {
    const now = this.now();
    const promised = { key: pair.key, since: now };
    this.connections.set(peer, promised);
    this.addresses.set(peer.host, promised);
    this.kept.delete(pair.key);
    this.kept.set(pair.key, { pair, until: now + promisedMs });
    for (const [key, { until }] of this.kept) {
      if (this.kept.size <= maxKept && until > now) break;
      this.kept.delete(key);
    }
  }

  /** The pair whose summary a client is to get, where `current` is the newest. */
  of(peer: Peer, current: SummaryPair): SummaryPair {
    const own = this.within(this.connections.get(peer), promisedMs);
    const address = this.within(this.addresses.get(peer.host), promisedToAddressMs);
    const isAtOnce = this.within(own, atOnceMs) !== undefined;
    // A proxy asks for many by connections that it keeps: what it got last is what somebody asks after now.
    const isOwn = own !== undefined && (isAtOnce || address === undefined || own.since >= address.since);
    const promised = isOwn ? own : address;
    return (promised && this.kept.get(promised.key)?.pair) ?? current;
  }

  private within(promised: Promised | undefined, ms: number): Promised | undefined {
    return promised !== undefined && this.now() - promised.since < ms ? promised : undefined;
  }
}
