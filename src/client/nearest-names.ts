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
  places: readonly { readonly index: { list: ListArtifacts } }[],
  { project, element }: Wanted,
  signal: AbortSignal,
): Promise<string> {
  const nothing = "`stillage artifact list` shows what there is";
  if (project === undefined) return nothing;
  const isOfElement = artifactMatcher(elementGlobs(element).map((each) => ({ project, element: each, key: "" })));
  const others: string[] = [];
  const projects = new Set<string>();
  const elements = new Set<string>();
  for await (const artifact of names(places, signal)) {
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
  return nearProject === undefined || nearProject === project ? nothing : `did you mean the project ${nearProject}?`;
}

type ListArtifacts = (globs: readonly (typeof everyArtifact)[], signal: AbortSignal) => AsyncIterable<IndexedArtifact>;

/** Names of all places that can list them and answer. */
async function* names(
  places: readonly { readonly index: { list: ListArtifacts } }[],
  signal: AbortSignal,
): AsyncGenerator<IndexedArtifact> {
  let count = 0;
  for (const { index } of places) {
    try {
      for await (const artifact of index.list([everyArtifact], signal)) {
        yield artifact;
        if (++count >= maxCompared) return;
      }
    } catch (error) {
      // A hint is not worth a failure.
      if (!(error instanceof StillageError)) throw error;
      signal.throwIfAborted();
    }
  }
}
