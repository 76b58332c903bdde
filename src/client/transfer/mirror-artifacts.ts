import { StillageError } from "../../base/errors.ts";
import type { ArtifactGlob, ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { ReaderOf } from "../ostree/convert-artifact.ts";
import type { Place } from "../place.ts";
import { whyIncomplete } from "./copy-artifact.ts";
import { copyBetween, sourcesOf } from "./copy-between.ts";
import { rootsOf } from "./copy-content.ts";
import { SourceRow } from "./source-row.ts";
import { nameOfArtifact, notesOfCopy, type TransferSummary, type UncountedOutcome } from "./transfer-outcome.ts";
import type { TransferProgress } from "./transfer-progress.ts";
import { runQueue, type TransferOptions } from "./transfer-queue.ts";

export interface MirrorOptions extends TransferOptions {
  readonly from: Place;
  readonly to: Place;
}

/**
 * Copies what one place has and another lacks, many at a time. What is there with the same content costs a question for each of its names and one for its roots, so that
 * a run that was stopped or killed goes on where it was, and a place that has lost what its names lead to gets it again. Errors: `unsupported` where a place has no
 * names; that one cannot list them is the summary's.
 */
export function mirrorArtifacts(globs: readonly ArtifactGlob[], options: MirrorOptions): Promise<TransferSummary> {
  const { from, progress, signal } = options;
  const { index } = from;
  if (index === undefined) throw new StillageError("unsupported", `${from.name} has no names of artifacts`);
  return mirrorEach(counted(index.list(globs, signal), progress), options);
}

/** The same for what is known by name, or was listed before. */
export function mirrorThese(
  artifacts: readonly (ArtifactQuestion | IndexedArtifact)[],
  options: MirrorOptions,
): Promise<TransferSummary> {
  options.progress?.addItems(artifacts.length);
  return mirrorEach(artifacts, options);
}

function mirrorEach(
  artifacts: Iterable<ArtifactQuestion | IndexedArtifact> | AsyncIterable<IndexedArtifact>,
  options: MirrorOptions,
): Promise<TransferSummary> {
  if (options.to.index === undefined) {
    throw new StillageError("unsupported", `${options.to.name} has no names of artifacts`);
  }
  return runQueue(
    artifacts,
    { name: nameOfArtifact, work: (each, progress) => mirrorOne(each, { ...options, progress }) },
    options,
  );
}

async function* counted<T>(items: AsyncIterable<T>, progress: TransferProgress | undefined): AsyncGenerator<T> {
  progress?.listBegins();
  try {
    for await (const item of items) {
      progress?.addItems(1);
      yield item;
    }
  } finally {
    progress?.listEnds();
  }
}

async function mirrorOne(item: ArtifactQuestion | IndexedArtifact, options: MirrorOptions): Promise<UncountedOutcome> {
  const { from, to, optional, budget, progress, signal } = options;
  const nothing = { name: nameOfArtifact(item), place: undefined, notes: [], error: undefined };
  const artifact = "content" in item ? item : await from.index?.find(item, signal);
  if (artifact === undefined) return { ...nothing, result: "missing" };
  const other = otherForm(artifact, to);
  if (other === "none") {
    const why = `${to.name} takes no artifacts of BuildStream ${artifact.generation}`;
    return { ...nothing, result: "skipped", notes: [why] };
  }
  if (other !== undefined) return { ...nothing, ...(await convert(artifact, other, options)) };
  if ((await isThere(artifact, to, signal)) && (await hasRoots(artifact, from, to, signal)))
    return { ...nothing, result: "present" };
  const copied = await copyBetween(artifact, [from], to, { optional, budget, progress, signal });
  // Build trees are copied where they are: that they are not is nothing to be told.
  const lacking = copied.lacking.filter(({ part }) => part.required);
  const notes = notesOfCopy({ ...copied, lacking });
  if (copied.outcome === "incomplete") {
    const error = whyIncomplete(copied);
    return { ...nothing, result: error === undefined ? "missing" : "failed", notes, error };
  }
  const result = copied.outcome === "present" ? "present" : "copied";
  return { ...nothing, result, place: to.name, notes };
}

/** Whether each of its keys leads to it there. */
async function isThere(
  { project, element, keys, generation, content }: IndexedArtifact,
  to: Place,
  signal: AbortSignal,
): Promise<boolean> {
  const leads = async (key: string): Promise<boolean> =>
    (await to.index?.find({ project, element, keys: [key], generation }, signal))?.content.hash === content.hash;
  return (await Promise.all(keys.map(leads))).every(Boolean);
}

/** Whether the blobs are there that its message names, which is one question. Where there are none, as of a commit, they are. */
async function hasRoots(artifact: IndexedArtifact, from: Place, to: Place, signal: AbortSignal): Promise<boolean> {
  const { generation } = artifact;
  const blobs = generation === "1.0" || to.blobs === undefined ? undefined : (to.blobsFor?.(generation) ?? to.blobs);
  if (blobs === undefined) return true;
  const near = to.near === true && to.blobs !== undefined ? { name: to.name, blobs: to.blobs } : undefined;
  const roots = await rootsOf(artifact, { near, sources: new SourceRow(sourcesOf([from])), signal });
  return (await blobs.missing(roots, signal)).length === 0;
}

/** The generation in whose form a place takes an artifact: `undefined` for its own, `none` where there is no such. */
function otherForm({ generation }: IndexedArtifact, { index }: Place): "1.0" | "1.x" | "none" | undefined {
  if (index?.generations.includes(generation)) return undefined;
  const form = generation === "1.0" ? "1.x" : generation === "1.x" ? "1.0" : undefined;
  return form !== undefined && index?.generations.includes(form) ? form : "none";
}

/** Copies in the form of the other generation of BuildStream 1. What is there under its names is not made anew: the same form comes of the same artifact. */
async function convert(
  artifact: IndexedArtifact,
  generation: "1.0" | "1.x",
  { from, to, signal }: MirrorOptions,
): Promise<Pick<UncountedOutcome, "result" | "place" | "notes">> {
  const { project, element, keys } = artifact;
  const notes = [
    `in the form of BuildStream ${generation}: for keeping and looking at, as none asks for it by this key`,
  ];
  const there = await to.index?.find({ project, element, keys, generation }, signal);
  if (there !== undefined) return { result: "present", place: undefined, notes: [] };
  const [{ convertArtifact }, { PlaceReader }] = await Promise.all([
    import("../ostree/convert-artifact.ts"),
    import("../blob-reader.ts"),
  ]);
  const readerOf: ReaderOf = (place, stop) => {
    if (place.blobs !== undefined) return new PlaceReader(place.blobs, stop);
    throw new StillageError("unsupported", `${place.name} has no blobs`);
  };
  const published = await convertArtifact(artifact, from, to, readerOf, { signal });
  return { result: published === "present" ? "present" : "copied", place: to.name, notes };
}
