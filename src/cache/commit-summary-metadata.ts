import { encode } from "../base/gvariant/gvariant.ts";

/**
 * What a summary says of the repository. There are no static deltas; a client that is told of an index asks for that of its commit, once, instead of for the delta. The time of
 * the last change is left out, as nobody needs it: so the same refs make the same bytes, whoever makes them, and a client that has them is told so.
 */
export const summaryMetadata: Uint8Array = encode("a{sv}", [
  ["ostree.summary.mode", { type: "s", value: "archive-z2" }],
  ["ostree.summary.tombstone-commits", { type: "b", value: false }],
  ["ostree.summary.indexed-deltas", { type: "b", value: true }],
]);
