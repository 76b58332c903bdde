import { asStillageError, StillageError } from "../../base/errors.ts";
import type { ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { Place } from "../place.ts";
import { bringBlobs, type CopiedArtifact, whyIncomplete } from "./copy-artifact.ts";
import { copyBetween } from "./copy-between.ts";
import { nameOfArtifact, notesOfCopy, type TransferSummary, type UncountedOutcome } from "./transfer-outcome.ts";
import { runQueue, type TransferOptions } from "./transfer-queue.ts";

export interface PullOptions extends TransferOptions {
  readonly to: Place;
  /** Where artifacts may be, in the order in which they are asked. Called when the first one is not in `to`, and once. */
  readonly remotes: () => Promise<readonly Place[]>;
}

/**
 * Pulls what is asked for. Each index is asked in its order until one has an artifact that is whole somewhere, and its blobs are read where that index is and then
 * from the others: what goes wrong at one fails nothing that another can serve.
 */
export function pullArtifacts(questions: readonly ArtifactQuestion[], options: PullOptions): Promise<TransferSummary> {
  let opened: Promise<readonly Place[]> | undefined;
  const remotes = (): Promise<readonly Place[]> => (opened ??= options.remotes());
  options.progress?.addItems(questions.length);
  return runQueue(
    questions,
    { name: nameOfArtifact, work: (each, progress) => pullOne(each, remotes, { ...options, progress }) },
    options,
  );
}

async function pullOne(
  question: ArtifactQuestion,
  remotes: () => Promise<readonly Place[]>,
  options: PullOptions,
): Promise<UncountedOutcome> {
  const { to, signal } = options;
  const name = nameOfArtifact(question);
  const nothing = { name, place: undefined, notes: [], error: undefined };
  const here = await to.index?.find(question, signal);
  const had = here && (await wholeHere(here, options));
  if (had?.whole && had.complete) return { ...nothing, result: "present" };
  const notes: string[] = [];
  let failure: StillageError | undefined;
  const note = (place: string, error: StillageError): void => {
    failure ??= error;
    notes.push(`${place}: ${error.message}`);
  };
  const tried = new Set<string>();
  const places = await remotes();
  for (const place of places) {
    const found = await place.index?.find(question, signal).catch((error) => {
      signal.throwIfAborted();
      note(place.name, asStillageError(error));
    });
    if (found === undefined || tried.has(found.content.hash)) continue;
    tried.add(found.content.hash);
    if (to.near !== true && here?.content.hash === found.content.hash) return { ...nothing, result: "present" };
    if (found.generation !== "1.0") (to.blobsFor?.(found.generation) ?? to.blobs)?.expectWrites?.();
    const copied = await copyFrom(found, [place, ...places.filter((each) => each !== place)], options);
    if (copied instanceof StillageError) {
      note(place.name, copied);
      continue;
    }
    notes.push(...notesOfCopy(copied));
    if (copied.outcome === "incomplete") {
      failure ??= whyIncomplete(copied);
      continue;
    }
    const result = copied.outcome === "present" ? "present" : "copied";
    return { ...nothing, result, place: place.name, notes };
  }
  if (had?.whole) return { ...nothing, result: "present", notes };
  return { ...nothing, result: failure === undefined ? "missing" : "failed", notes, error: failure };
}

/** An error where it is what an index says is no artifact: another one may have a better one. */
async function copyFrom(
  artifact: IndexedArtifact,
  from: readonly Place[],
  { to, optional, budget, progress, signal }: PullOptions,
): Promise<CopiedArtifact | StillageError> {
  return copyBetween(artifact, from, to, { optional, budget, progress, signal }).catch((error) => {
    signal.throwIfAborted();
    const failure = asStillageError(error);
    if (failure.code === "invalid" || failure.code === "corrupt") return failure;
    throw failure;
  });
}

/** Whether what is required is here, and whether what else is asked for is. Without a network, which only places that are near can be asked. */
async function wholeHere(
  artifact: IndexedArtifact,
  options: PullOptions,
): Promise<{ whole: boolean; complete: boolean }> {
  const { to, optional, budget, signal } = options;
  if (to.near !== true) return { whole: false, complete: false };
  if (artifact.generation === "1.0") return { whole: true, complete: true };
  const { copied } = await bringBlobs(artifact, [], to, { optional, budget, signal });
  return { whole: copied.whole, complete: copied.whole && copied.lacking.length === 0 };
}
