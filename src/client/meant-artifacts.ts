import { elementGlobs } from "../artifact/element-name.ts";
import { StillageError } from "../base/errors.ts";
import { hasWildcard } from "../store/glob.ts";
import { globsFor } from "./artifact-glob.ts";
import type { ArtifactGlob, ArtifactIndex, ArtifactQuestion, IndexedArtifact } from "./artifact-index.ts";
import { type ArtifactText, readArtifactText } from "./artifact-text.ts";
import { nearestNames } from "./nearest-names.ts";

/** An index that is asked, and what messages call it. */
export interface AskedIndex {
  readonly name: string;
  readonly index: Pick<ArtifactIndex, "find" | "list" | "newestFirst">;
}

/** What finding out needs beside the places. */
export interface MeantOptions {
  readonly signal: AbortSignal;
  /** Says what artifacts an element of the project at hand has; left out where there is no project. Errors: `not-found`, `invalid`. */
  readonly ofElement?: ((element: string, signal: AbortSignal) => Promise<ArtifactQuestion>) | undefined;
}

/** An artifact that a name means, and where it was found. */
export interface Meant<P> {
  readonly artifact: IndexedArtifact;
  readonly place: P;
}

/** Candidates that are named to somebody who was not clear. */
const maxCandidates = 10;

const wholeKey = /^[0-9a-f]{64}$/;

/**
 * The artifacts that somebody means by `PROJECT/ELEMENT/KEY`, of which the key may be short and all may have `*` and `?`; by `PROJECT/ELEMENT`, whichever keys; or by the
 * name of an element's file in the project. The first place that has any is the one that is believed. At least one. Errors: `invalid` for what is no such name; `not-found`,
 * with names that are near; `unsupported` where names would have to be listed, and no place that can do so has any; those of the places where all of them fail.
 */
export async function artifactsMeant<P extends AskedIndex>(
  places: AsyncIterable<P> | Iterable<P>,
  text: string,
  options: MeantOptions,
): Promise<Meant<P>[]> {
  return (await search(places, text, { ...options, everywhere: false })).meant;
}

/** A place of which it is not known what it has. */
export interface UnknownPlace<P> {
  readonly place: P;
  readonly error: StillageError;
}

/** As `artifactsMeant`, in all of the places where a text may mean several artifacts; and the places that could not tell, where others have some. */
export async function allArtifactsMeant<P extends AskedIndex>(
  places: AsyncIterable<P> | Iterable<P>,
  text: string,
  options: MeantOptions,
): Promise<{ readonly meant: Meant<P>[]; readonly unknown: readonly UnknownPlace<P>[] }> {
  return search(places, text, { ...options, everywhere: true });
}

async function search<P extends AskedIndex>(
  places: AsyncIterable<P> | Iterable<P>,
  text: string,
  options: MeantOptions & { readonly everywhere: boolean },
): Promise<{ readonly meant: Meant<P>[]; readonly unknown: readonly UnknownPlace<P>[] }> {
  const meaning = readArtifactText(text, options.ofElement !== undefined);
  const question =
    meaning.kind === "element file" ? await options.ofElement?.(meaning.element, options.signal) : undefined;
  const several = meaning.kind !== "element file" && (meaning.key === "" || hasWildcard(text));
  const asked: P[] = [];
  const meant: Meant<P>[] = [];
  const unknown: UnknownPlace<P>[] = [];
  for await (const place of places) {
    asked.push(place);
    try {
      const found = await foundIn(place.index, meaning, question, options.signal);
      meant.push(...found.map((artifact) => ({ artifact, place })));
      if (found.length > 0 && !(options.everywhere && several)) break;
    } catch (error) {
      if (!(error instanceof StillageError) || !isOfPlace(error)) throw error;
      unknown.push({ place, error });
    }
  }
  if (meant.length > 0) return { meant, unknown };
  const [failure] = unknown;
  if (failure !== undefined) throw failure.error;
  const where = asked.map(({ name }) => name).join(", ") || "any place";
  const hint = await nearestNames(asked, question ?? meaning, options.signal);
  throw new StillageError("not-found", `there is no artifact ${JSON.stringify(text)} in ${where}`, { hint });
}

/** The only one of those. Errors: also `not-found` where there are several: the first of them are named. */
export async function artifactMeant<P extends AskedIndex>(
  places: AsyncIterable<P> | Iterable<P>,
  text: string,
  options: MeantOptions,
): Promise<Meant<P>> {
  const found = await artifactsMeant(places, text, options);
  const [only, ...others] = found as [Meant<P>, ...Meant<P>[]];
  if (others.length === 0) return only;
  const names = found.slice(0, maxCandidates).map(({ artifact }) => shownArtifact(artifact));
  throw new StillageError("not-found", `more than one artifact is meant by ${JSON.stringify(text)}`, {
    hint: `${names.join(", ")}${found.length > maxCandidates ? " …" : ""}`,
  });
}

/** `PROJECT/ELEMENT/KEY` by the first of its keys. */
export function shownArtifact({
  project,
  element,
  keys,
}: Pick<IndexedArtifact, "project" | "element" | "keys">): string {
  return `${project}/${element}/${keys[0] ?? ""}`;
}

async function foundIn(
  index: AskedIndex["index"],
  meaning: ArtifactText,
  question: ArtifactQuestion | undefined,
  signal: AbortSignal,
): Promise<IndexedArtifact[]> {
  if (question !== undefined) return one(await index.find(question, signal));
  if (meaning.kind === "element file") return [];
  const { project, element, key } = meaning;
  if (key !== "" && !hasWildcard(project + element + key)) {
    for (const each of elementGlobs(element)) {
      const found = await index.find({ project, element: each, keys: [key] }, signal);
      if (found !== undefined) return [found];
    }
    if (wholeKey.test(key)) return [];
  }
  return listed(index, globsFor(project, element, key), signal);
}

const one = (found: IndexedArtifact | undefined): IndexedArtifact[] => (found === undefined ? [] : [found]);

async function listed(
  index: AskedIndex["index"],
  globs: ArtifactGlob[],
  signal: AbortSignal,
): Promise<IndexedArtifact[]> {
  const found: IndexedArtifact[] = [];
  for await (const artifact of index.list(globs, signal)) found.push(artifact);
  if (index.newestFirst) return found;
  return found.sort((a, b) => (b.record?.pushed ?? 0) - (a.record?.pushed ?? 0));
}

/** Whether another place may do what this one could not. */
function isOfPlace({ code }: StillageError): boolean {
  return ["unsupported", "unavailable", "deadline", "forbidden", "unauthenticated", "corrupt"].includes(code);
}
