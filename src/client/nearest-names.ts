import { elementGlobs } from "../artifact/element-name.ts";
import { StillageError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { artifactMatcher, everyArtifact } from "./artifact-glob.ts";
import type { IndexedArtifact } from "./artifact-index.ts";

/** Names that are compared with one that is not there. */
const maxCompared = 10_000;

const maxKeysTold = 10;

/** What is looked for: an artifact as it was named, or as an element of the project has it. */
interface Wanted {
  readonly project?: string;
  readonly element: string;
}

/** What to tell somebody whose artifact is not there: other keys of it, or the name that is most like it. */
export async function nearestNames(
  places: readonly ListedPlace[],
  { project, element }: Wanted,
  signal: AbortSignal,
): Promise<string> {
  if (project === undefined) return howToList(places, places);
  const isOfElement = artifactMatcher(elementGlobs(element).map((each) => ({ project, element: each, key: "" })));
  const others: string[] = [];
  const projects = new Set<string>();
  const elements = new Set<string>();
  const silent = new Set<ListedPlace>();
  for await (const artifact of names(places, silent, signal)) {
    projects.add(artifact.project);
    if (artifact.project === project) elements.add(artifact.element);
    if (others.length < maxKeysTold && isOfElement(artifact)) {
      others.push(`${artifact.project}/${artifact.element}/${artifact.keys[0]}`);
    }
  }
  if (others.length > 0) return `${project}/${element} is there with other keys: ${others.join(", ")}`;
  const near = nearest(element, [...elements]);
  if (near !== undefined) return `did you mean ${project}/${near}?`;
  const nearProject = nearest(project, [...projects]);
  const listing = places.filter((place) => !silent.has(place));
  return nearProject === undefined || nearProject === project
    ? howToList(places, listing)
    : `did you mean the project ${nearProject}?`;
}

function howToList(places: readonly ListedPlace[], listing: readonly ListedPlace[]): string {
  const [only, ...others] = listing;
  if (only === undefined) {
    return places.length === 0
      ? "`stillage artifact list` shows what there is"
      : "what is there cannot be listed: check the whole name";
  }
  const name = /^[\w./:@+-]+$/.test(only.name) ? only.name : JSON.stringify(only.name);
  const more = others.length === 0 ? "" : `, and others with --in ${others.map((each) => each.name).join(", --in ")}`;
  return `\`stillage artifact list --in ${name}\` shows what there is${more}`;
}

/** A place that is asked for what it has, by what somebody calls it. */
interface ListedPlace {
  readonly name: string;
  readonly index: { list: ListArtifacts };
}

type ListArtifacts = (globs: readonly (typeof everyArtifact)[], signal: AbortSignal) => AsyncIterable<IndexedArtifact>;

/** Names of all places that can list them and answer. */
async function* names(
  places: readonly ListedPlace[],
  silent: Set<ListedPlace>,
  signal: AbortSignal,
): AsyncGenerator<IndexedArtifact> {
  let count = 0;
  for (const place of places) {
    try {
      for await (const artifact of place.index.list([everyArtifact], signal)) {
        yield artifact;
        if (++count >= maxCompared) return;
      }
    } catch (error) {
      // A hint is not worth a failure.
      if (!(error instanceof StillageError)) throw error;
      signal.throwIfAborted();
      silent.add(place);
    }
  }
}
