import { asStillageError, type StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { Place } from "../place.ts";
import { type CopiedArtifact, type CopyOptions, copyArtifact } from "./copy-artifact.ts";
import type { NamedSource, PlaceFault } from "./source-row.ts";

/** The places of a list that have blobs, as sources, in their order. */
export function sourcesOf(places: readonly Place[]): NamedSource[] {
  return places.flatMap(({ name, blobs }) => (blobs === undefined ? [] : [{ name, blobs }]));
}

/** Copies an artifact of any generation, from the first of the places that gives it, or from several together. Errors: as of `copyArtifact`. */
export async function copyBetween(
  artifact: IndexedArtifact,
  from: readonly Place[],
  to: Place,
  options: CopyOptions,
): Promise<CopiedArtifact> {
  if (artifact.generation !== "1.0") return copyArtifact(artifact, sourcesOf(from), to, options);
  const { copyCommit } = await import("../ostree/copy-commit.ts");
  const { signal, progress } = options;
  const faults: PlaceFault[] = [];
  for (const place of from) {
    if (place.commits === undefined) continue;
    const moved = { blobs: 0, bytes: 0 };
    const onProgress = (blobs: number, bytes: number): void => {
      progress?.found(blobs, bytes);
      progress?.moved(blobs, bytes);
      moved.blobs += blobs;
      moved.bytes += bytes;
    };
    try {
      const published = await copyCommit(artifact, place, to, { signal, onProgress });
      return { outcome: published === "present" ? "present" : "copied", moved, lacking: [], faults };
    } catch (error) {
      signal.throwIfAborted();
      const failure = asStillageError(error);
      if (isOfDestination(failure)) throw failure;
      faults.push({ place: place.name, error: failure });
    }
  }
  return { outcome: "incomplete", moved: { blobs: 0, bytes: 0 }, lacking: [], faults };
}

/** What a place says that takes nothing, or has no room: no source could do anything about it. */
function isOfDestination({ code }: StillageError): boolean {
  return code === "unsupported" || code === "forbidden" || code === "exhausted";
}
