import { maxByLength } from "../store/ref-limits.ts";
import type { Visit } from "./rights.ts";

/** Who pushes, as the names that are pushed keep it: what he has shown himself to be, else his address without the port, or that he came over ssh. */
export function nameOfVisitor({ caller, peer }: Visit): string {
  const place = peer.secret !== undefined ? "ssh" : peer.host;
  return (caller.identified ? caller.name : place).slice(0, maxByLength);
}
