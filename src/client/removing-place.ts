import { StillageError } from "../base/errors.ts";
import type { IndexedArtifact } from "./artifact-index.ts";
import type { Place } from "./place.ts";

/** A place from which names can be taken. */
export interface RemovingPlace extends Place {
  /** Removes every name of an artifact and tells how many there were; its blobs stay. */
  remove(artifact: IndexedArtifact): Promise<number>;
}

/** Errors: `unsupported` for all but local caches and tar files. */
export function removingPlace(place: Place): RemovingPlace {
  if ("remove" in place && typeof place.remove === "function") return place as RemovingPlace;
  throw new StillageError("unsupported", `artifacts cannot be removed from ${place.name}`, {
    hint: "a server expires what nobody uses: docs/EXPIRY.md",
  });
}
