import type { Caller } from "../base/caller.ts";
import { StillageError } from "../base/errors.ts";
import type { Peer } from "../base/peer.ts";
import type { Right } from "../base/rights.ts";
import type { Tenant, Tenants } from "../cache/tenant.ts";

/** A call or an HTTP request: who makes it, by which door, and for which instance. */
export interface Visit {
  readonly peer: Peer;
  readonly caller: Caller;
  instance: string;
}

/**
 * An instance, for somebody who has the right to do in it what he is about to: every call passes here. Errors: `unauthenticated`, `forbidden`,
 * `not-found`.
 */
export function reach(tenants: Tenants, visit: Visit, instance: string, right: Right): Tenant {
  requireRight(visit, instance, right);
  return tenants.find(instance);
}

/** The same for what is not in an instance but about it. Errors: `unauthenticated`, `forbidden`. */
export function requireRight(visit: Visit, instance: string, right: Right): void {
  visit.instance = instance;
  if (!visit.caller.may(right, instance)) refuse(visit, instance, right);
}

/**
 * Who may pull but not push is told that it is forbidden, also where he has not said who he is: to BuildStream that means a cache for
 * pulls, while it drops one that says UNAUTHENTICATED.
 */
function refuse({ peer, caller }: Visit, instance: string, right: Right): never {
  if (!caller.identified && !caller.may("pull", instance)) {
    throw new StillageError("unauthenticated", "this cache wants to know who asks", {
      hint: "use a token or a client certificate; the cache's operator gives them out",
    });
  }
  if (!peer.push && right !== "pull" && right !== "admin") {
    throw new StillageError("forbidden", "this address serves pulls only", {
      hint: "push to the address that the cache's operator names for it",
    });
  }
  const place = instance === "" ? "" : ` in the instance ${JSON.stringify(instance.slice(0, 200))}`;
  throw new StillageError("forbidden", `${caller.name} may not ${right}${place}`, {
    hint: caller.identified ? "ask the cache's operator for the right" : "use a token or a client certificate that may",
  });
}
