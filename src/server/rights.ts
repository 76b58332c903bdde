import { StillageError } from "../base/errors.ts";
import type { Peer } from "../base/peer.ts";

/** Every write of every kind passes here: where push is off, none is accepted. */
export function requirePush(peer: Peer): void {
  if (peer.push) return;
  throw new StillageError("forbidden", "this address serves pulls only", {
    hint: "push to the address that the cache's operator names for it",
  });
}
