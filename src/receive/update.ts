import { StillageError } from "../base/errors.ts";
import type { Dictionary } from "../base/gvariant/value.ts";

/** Which commit a ref is to name, in 64 hex digits; `from`: the one that it names now, where the pusher knows it. */
export interface RefUpdate {
  readonly to: string;
  readonly from?: string;
}

/** What stands for a commit that the pusher does not know. BuildStream's pushers never know one. */
const unknown = "0".repeat(64);

const checksum = /^[0-9a-f]{64}$/;

/** What an `update` message asks for: REF -> (ss) = (old commit, new commit). Errors: `invalid`. */
export function readUpdates(args: Dictionary): ReadonlyMap<string, RefUpdate> {
  const updates = new Map<string, RefUpdate>();
  for (const [ref, { type, value }] of args) {
    const [from, to] = type === "(ss)" ? (value as readonly [string, string]) : [];
    if (from === undefined || to === undefined || !checksum.test(from) || !checksum.test(to) || updates.has(ref)) {
      throw new StillageError("invalid", `${JSON.stringify(ref.slice(0, 300))} is to be updated to what is no commit`);
    }
    updates.set(ref, from === unknown ? { to } : { to, from });
  }
  return updates;
}
