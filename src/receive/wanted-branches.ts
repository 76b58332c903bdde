import { StillageError } from "../base/errors.ts";

/** What tools make of the other branches, for this very repository: it would be wrong in another. */
const generated = /^(?:appstream2?\/.*|ostree-metadata)$/s;

/** The branches that a push is about, in order: those that are named, or all that the pusher has; none that tools generate. Errors: `not-found`. */
export function wantedBranches(named: readonly string[], pushed: ReadonlyMap<string, unknown>): string[] {
  const wanted = new Set(named.length === 0 ? pushed.keys() : named);
  const branches = [...wanted].filter((each) => !generated.test(each)).sort();
  const missing = branches.filter((each) => !pushed.has(each));
  if (missing.length === 0) return branches;
  throw new StillageError(
    "not-found",
    `the pusher's summary has no ${missing.map((each) => JSON.stringify(each)).join(", ")}`,
    {
      hint: "`ostree summary -u` in that repository makes its summary anew",
    },
  );
}
