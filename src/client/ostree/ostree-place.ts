import type { StillageError } from "../../base/errors.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import type { CommitStore } from "../commit-store.ts";
import type { Place } from "../place.ts";

/** A cache of BuildStream 1.0 that was found. */
export interface OstreePlace extends Place {
  readonly index: ArtifactIndex;
  readonly commits: CommitStore;
  /** Where it is read from: the URL of a repository, or a directory. */
  readonly pulledFrom: string;
  /** Why nothing can be written, where the configuration says that we push. */
  readonly notWritable: StillageError | undefined;
  /** How long one small question takes, in milliseconds. Errors: those of the index. */
  roundTrip(signal: AbortSignal): Promise<number>;
}
