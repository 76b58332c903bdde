import { StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { BlobPlace, Place } from "../place.ts";
import { ByteBudget } from "./byte-budget.ts";
import { type CopiedContent, copyContent, type OptionalParts } from "./copy-content.ts";
import { type NamedSource, type PlaceFault, SourceRow } from "./source-row.ts";
import { heldBytes } from "./transfer-limits.ts";
import type { TransferProgress } from "./transfer-progress.ts";

/** What all copies of a command share. */
export interface CopyOptions {
  readonly optional: OptionalParts;
  readonly budget: ByteBudget;
  readonly progress?: TransferProgress | undefined;
  readonly signal: AbortSignal;
}

/** What became of a copy. */
export interface CopiedArtifact extends Pick<CopiedContent, "moved" | "lacking"> {
  /** `incomplete`: no source gave all of what is required, and the place has no name for it. `present`: it had all, and the names. */
  readonly outcome: "copied" | "present" | "incomplete";
  /** What went wrong at sources, whether or not others made up for it. */
  readonly faults: readonly PlaceFault[];
}

/** Memory for copies that run beside one another. */
export function copyBudget(): ByteBudget {
  return new ByteBudget(heldBytes);
}

/**
 * Copies an artifact: first its blobs, those that are missing there, from the sources in their order; when all are there for good, its names. A crash or failure
 * between any two steps leaves blobs and no name, and a second run moves only what is still missing. A source that lacks something or fails is left for the next
 * one. Errors: those of the place that it goes to; `invalid` for what is no artifact; `cancelled`.
 */
export async function copyArtifact(
  artifact: IndexedArtifact,
  sources: readonly NamedSource[],
  to: Place,
  options: CopyOptions,
): Promise<CopiedArtifact> {
  const { index } = to;
  if (index === undefined) throw new StillageError("unsupported", `${to.name} has no names of artifacts`);
  const { copied, faults } = await copyBlobs(artifact, sources, to, options);
  const { content, moved, lacking, whole } = copied;
  if (!whole || content === undefined) return { outcome: "incomplete", moved, lacking, faults };
  const published = await index.publish(artifact, content, options.signal);
  return { outcome: published === "present" && moved.blobs === 0 ? "present" : "copied", moved, lacking, faults };
}

/** The blobs alone. Where they are whole they are there for good, those too that somebody else has brought just before. Errors: as of `copyArtifact`. */
export async function copyBlobs(
  artifact: IndexedArtifact,
  sources: readonly NamedSource[],
  to: Place,
  options: CopyOptions,
): Promise<{ readonly copied: CopiedContent; readonly faults: readonly PlaceFault[] }> {
  const result = await bringBlobs(artifact, sources, to, options);
  if (result.copied.whole) await blobsOf(artifact, to).flush();
  return result;
}

/** As `copyBlobs` for who gives it no name: a power cut may take what has just come. */
export async function bringBlobs(
  artifact: IndexedArtifact,
  sources: readonly NamedSource[],
  to: Place,
  { optional, budget, progress, signal }: CopyOptions,
): Promise<{ readonly copied: CopiedContent; readonly faults: readonly PlaceFault[] }> {
  const { name } = to;
  const blobs = blobsOf(artifact, to);
  const row = new SourceRow(sources);
  const near = to.near === true ? { name, blobs: to.blobs ?? blobs } : undefined;
  const copied = await copyContent(artifact, { to: blobs, sources: row, near, budget, progress, signal }, optional);
  return { copied, faults: row.faults };
}

/** Where an artifact's blobs are written to. Errors: `unsupported`. */
function blobsOf({ generation }: IndexedArtifact, to: Place): BlobPlace {
  const blobs = to.blobs === undefined ? undefined : (to.blobsFor?.(generation) ?? to.blobs);
  if (blobs === undefined) throw new StillageError("unsupported", `${to.name} takes no blobs`);
  return blobs;
}

/** Why a copy is incomplete: what a source failed with that may have had the rest; `undefined` where all are known to lack it. */
export function whyIncomplete({
  lacking,
  faults,
}: Pick<CopiedArtifact, "lacking" | "faults">): StillageError | undefined {
  const [fault] = faults;
  if (fault === undefined) return undefined;
  const { place, error } = fault;
  const message = `nobody gave ${lacking[0] === undefined ? "all of it" : `its ${lacking[0].part.name}`}; ${place}: ${error.message}`;
  const { hint, retryAfterMs } = error;
  return new StillageError(error.code, message, {
    cause: error,
    ...(hint && { hint }),
    ...(retryAfterMs && { retryAfterMs }),
  });
}
