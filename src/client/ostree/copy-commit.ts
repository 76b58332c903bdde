import { StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { TakeOptions } from "../commit-store.ts";
import type { Place } from "../place.ts";

/**
 * Copies an artifact of BuildStream 1.0: the very commit, whose checksum stays, with all that it needs, then its names. Whatever breaks off leaves no name; what had come into a repository on this machine
 * by then is not asked for again. Errors: `unsupported` where one of the places has no such artifacts; those of `CommitStore.take`.
 */
export async function copyCommit(
  artifact: IndexedArtifact,
  from: Place,
  to: Place,
  options: TakeOptions,
): Promise<"published" | "present"> {
  const { commits: source } = from;
  const take = to.commits?.take;
  if (source === undefined) throw new StillageError("unsupported", `${from.name} has no artifacts of BuildStream 1.0`);
  if (take === undefined) {
    throw new StillageError("unsupported", `${to.name} takes no artifacts of BuildStream 1.0`, {
      hint: "they go into local caches, repositories of OSTree, over ssh into BuildStream 1.0's caches, and into Stillages",
    });
  }
  return take(artifact, source, options);
}
