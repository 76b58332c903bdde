import type { Authenticate } from "../base/caller.ts";
import type { Peer } from "../base/peer.ts";
import type { Admission, Place } from "./admission.ts";

/** How long a connection without a place is kept to tell its requests so: clients take an answer better than a cut. */
export const toldMs = 3000;

/** Connections of one client that are kept so; beyond them it is cut off at once. */
const maxTold = 16;

interface Connection {
  place: Place | undefined;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Gives each connection a place, or, where there is none, a moment to hear of it. */
export class ConnectionPlaces {
  private readonly admission: Admission;
  private readonly open = new Map<Peer, Connection>();
  /** Connections that are kept without a place, by client. */
  private readonly told = new Map<string, number>();

  constructor(admission: Admission) {
    this.admission = admission;
  }

  /** False where it is to be cut off at once; else `cut` may be called later. */
  opened(peer: Peer, cut: () => void): boolean {
    try {
      this.open.set(peer, { place: this.admission.connection(peer), timer: undefined });
      return true;
    } catch {
      const told = this.told.get(peer.network) ?? 0;
      if (told >= maxTold) return false;
      this.told.set(peer.network, told + 1);
      this.open.set(peer, { place: undefined, timer: setTimeout(() => this.endWithoutPlace(peer, cut), toldMs) });
      return true;
    }
  }

  closed(peer: Peer): void {
    const connection = this.open.get(peer);
    if (connection === undefined) return;
    this.open.delete(peer);
    connection.place?.leave();
    if (connection.timer === undefined) return;
    clearTimeout(connection.timer);
    const told = (this.told.get(peer.network) ?? 1) - 1;
    if (told === 0) this.told.delete(peer.network);
    else this.told.set(peer.network, told);
  }

  /** Lets `authenticate` find out who calls only on connections that have a place, or get one now. Errors of what it gives: `unavailable`, too. */
  before(authenticate: Authenticate): Authenticate {
    return (peer) => {
      const identify = authenticate(peer);
      return (authorization, onBehalfOf) => {
        const connection = this.open.get(peer);
        if (connection !== undefined) connection.place ??= this.admission.connection(peer);
        return identify(authorization, onBehalfOf);
      };
    };
  }

  private endWithoutPlace(peer: Peer, cut: () => void): void {
    if (this.open.get(peer)?.place === undefined) cut();
  }
}
