import type { StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { CopiedArtifact } from "./copy-artifact.ts";

/**
 * What became of an artifact: `copied` here or there; `present`, whole, before; `missing` where nobody who could be asked has it, or has all of it; `failed`; `skipped` for
 * what the place that it would go to cannot have.
 */
export const itemResults = ["copied", "present", "missing", "failed", "skipped"] as const;
export type ItemResult = (typeof itemResults)[number];

export interface ItemOutcome {
  /** `PROJECT/ELEMENT/KEY`. */
  readonly name: string;
  readonly result: ItemResult;
  /** Where it comes from, or what it went to; `undefined` where that is nowhere. */
  readonly place: string | undefined;
  /** What was moved for it, in all tries: also for one that failed. */
  readonly blobs: number;
  readonly bytes: number;
  /** What went wrong where although it was done, what was left out, and why it was skipped: a sentence each. */
  readonly notes: readonly string[];
  /** Why it failed; where it is missing, what was said of that place. */
  readonly error: StillageError | undefined;
}

/** What becomes of one as far as those tell who do it: what they move is counted as it moves. */
export type UncountedOutcome = Omit<ItemOutcome, "blobs" | "bytes">;

/** What a run came to. */
export interface TransferSummary {
  readonly results: Readonly<Record<ItemResult, number>>;
  /** What was moved, also for what failed or was stopped. */
  readonly blobs: number;
  readonly bytes: number;
  /** Places that it was to go to and that could not be used. */
  readonly leftOut: number;
  /** Whether it was stopped before all was done. */
  readonly stopped: boolean;
  /** What the run as a whole failed with: not all that was meant is known, so that some of it may not have had its turn; or what had come could not be saved. */
  readonly error: StillageError | undefined;
}

/** Of a run that had nothing to do. */
export const nothingDone: TransferSummary = {
  results: { copied: 0, present: 0, missing: 0, failed: 0, skipped: 0 },
  blobs: 0,
  bytes: 0,
  leftOut: 0,
  stopped: false,
  error: undefined,
};

export const nameOfArtifact = ({
  project,
  element,
  keys,
}: Pick<IndexedArtifact, "project" | "element" | "keys">): string => `${project}/${element}/${keys[0] ?? ""}`;

/** What a copy leaves to be said: parts that are not there, and sources that failed although others made up for it. */
export function notesOfCopy({ lacking, faults }: Pick<CopiedArtifact, "lacking" | "faults">): string[] {
  return [
    ...lacking.map(({ part, count }) => `nobody has ${count} of the blobs of its ${part.name}`),
    ...faults.map(({ place, error }) => `${place}: ${error.message}`),
  ];
}

/** Whether trying again may help: what the places' own retries did not outlast, a restart of a server for instance. */
export function isPassing({ code }: StillageError): boolean {
  return code === "unavailable" || code === "deadline" || code === "aborted";
}
