import type { Authenticate } from "../base/caller.ts";
import type { Peer } from "../base/peer.ts";
import type { Admission, Place } from "./admission.ts";

/**
 * Gives each connection a place as soon as there is one. While there is none, its requests are refused one by one: a client that is told so tries
 * again, which one that is cut off does not always do.
 */
export class ConnectionPlaces {
  private readonly admission: Admission;
  private readonly open = new Map<Peer, Place | undefined>();

  constructor(admission: Admission) {
    this.admission = admission;
  }

  opened(peer: Peer): void {
    this.open.set(peer, undefined);
  }

  closed(peer: Peer): void {
    this.open.get(peer)?.leave();
    this.open.delete(peer);
  }

  /** Lets `authenticate` find out who calls only on connections that have a place. Errors of what it gives: `unavailable`, too. */
  before(authenticate: Authenticate): Authenticate {
    return (peer) => {
      const identify = authenticate(peer);
      let placed = false;
      return (authorization) => {
        if (!placed) {
          this.take(peer);
          placed = true;
        }
        return identify(authorization);
      };
    };
  }

  private take(peer: Peer): void {
    // A request that is answered after its connection has gone takes no place.
    if (this.open.has(peer)) this.open.set(peer, this.admission.connection(peer));
  }
}
