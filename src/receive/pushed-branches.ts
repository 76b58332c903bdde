import { StillageError } from "../base/errors.ts";
import type { ObjectSource } from "../ostree/archive/object-source.ts";
import type { Checksum } from "../ostree/object-name.ts";
import { isRefName } from "../ostree/ref-name.ts";
import { decodeSummary } from "../ostree/summary.ts";

/** What clients take at most (docs/OSTREE.md). */
const maxSummaryBytes = 10 * 1024 * 1024;

/** Where a pusher's branches are, by his summary. Names that no repository here can have are as if they were not there. Errors: `not-found`, `invalid`, and those of the source. */
export async function pushedBranches(source: ObjectSource): Promise<ReadonlyMap<string, Checksum>> {
  const content = await source.get("summary", maxSummaryBytes);
  if (content === undefined) {
    throw new StillageError("not-found", "the pusher's repository has no summary", {
      hint: "`ostree summary -u` in that repository makes one",
    });
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  const { refs } = decodeSummary(Buffer.concat(pieces));
  return new Map(refs.filter(({ name }) => isRefName(name)).map(({ name, commit }) => [name, commit]));
}
