import type { Peer } from "../base/peer.ts";
import { maxByLength } from "../store/ref-limits.ts";

/** Who pushes, as the names that are pushed keep it: the subject of the certificate, else the address without the port. */
export function nameOfPeer({ subject, address }: Peer): string {
  return (subject ?? address.replace(/:\d+$/, "")).slice(0, maxByLength);
}
