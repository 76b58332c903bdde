import type { MaybePromise } from "./maybe-promise.ts";
import type { Peer } from "./peer.ts";
import type { Right } from "./rights.ts";

/** Whose request it is, and what he may do. */
export interface Caller {
  /** For logs: `anonymous`, `token NAME`, `certificate SUBJECT`, `jwt SUBJECT@ISSUER`. */
  readonly name: string;
  /** Whether he has shown who he is. */
  readonly identified: boolean;
  may(right: Right, instance: string): boolean;
  /** Whether everybody may pull from an instance, so that what is read there may be kept for others. */
  isPublic(instance: string): boolean;
}

/**
 * Finds out whose requests those with this `authorization` header are; "" stands for none. `onBehalfOf`: for whom a peer that vouches for others
 * asks. Errors: `unauthenticated`, and `unavailable` where whoever could tell does not answer.
 */
export type Identify = (authorization: string, onBehalfOf?: string) => MaybePromise<Caller>;

/** Gives each connection its own `Identify`, which remembers what it found out last. */
export type Authenticate = (peer: Peer) => Identify;

/** A caller of whom nothing is known yet. */
export const unidentified: Caller = {
  name: "unidentified",
  identified: false,
  may: () => false,
  isPublic: () => false,
};
