import { maxByLength } from "../store/ref-limits.ts";
import type { Visit } from "./rights.ts";

/** Who pushes, as the names that are pushed keep it: what he has shown himself to be, else his address without the port. */
export function nameOfVisitor({ caller, peer }: Visit): string {
  return (caller.identified ? caller.name : peer.host).slice(0, maxByLength);
}
