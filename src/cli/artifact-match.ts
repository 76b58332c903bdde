import type { Catalogue, ListQuery } from "../artifact/catalogue.ts";
import { shownName } from "../artifact/catalogue.ts";
import { StillageError } from "../base/errors.ts";
import { parseArtifactName } from "../cache/artifact-ref-name.ts";
import { nearest } from "../config/nearest.ts";
import type { FoundArtifact, ListedArtifact } from "../store/artifact-refs.ts";

/** Candidates that are named to somebody who was not clear. */
const maxCandidates = 10;

/** Names that are compared with one that is not there. */
const maxCompared = 1000;

const everything: ListQuery = {
  ...{ project: undefined, element: undefined, key: undefined, search: undefined, cursor: undefined },
  ...{ sort: "newest", limit: maxCandidates },
};

/**
 * The artifact that somebody means by `PROJECT/ELEMENT/KEY`, of which the key may be short, and the rest have wildcards. Errors: `invalid` for what is
 * not so made, `not-found` where there is none or more than one: those that are near are named.
 */
export async function artifactMeant(catalogue: Catalogue, text: string): Promise<FoundArtifact> {
  const name = parseArtifactName(text);
  if (name === undefined) {
    throw new StillageError("invalid", `${JSON.stringify(text)} is not PROJECT/ELEMENT/KEY`, {
      hint: "`stillage artifact list` shows what there is",
    });
  }
  const whole = await catalogue.find(name);
  if (whole !== undefined) return whole;
  const { items } = await catalogue.list({
    ...everything,
    project: name.project,
    element: name.element,
    key: name.key,
  });
  const [only, ...others] = items;
  if (only === undefined) throw await missing(catalogue, text, name.project, name.element);
  if (others.length > 0) {
    throw new StillageError("not-found", `more than one artifact is meant by ${JSON.stringify(text)}`, {
      hint: namesOf(items),
    });
  }
  const { project, element, keys } = only;
  const found = await catalogue.find({ project, element, key: keys[0] ?? "" });
  if (found === undefined) throw new StillageError("not-found", `the artifact ${shownName(only)} has just gone`);
  return found;
}

async function missing(catalogue: Catalogue, text: string, project: string, element: string): Promise<StillageError> {
  const error = (hint: string): StillageError =>
    new StillageError("not-found", `there is no artifact ${JSON.stringify(text)} in this store`, { hint });
  const ofElement = await catalogue.list({ ...everything, project, element });
  if (ofElement.items.length > 0)
    return error(`${project}/${element} is there with other keys: ${namesOf(ofElement.items)}`);
  const { items } = await catalogue.list({ ...everything, sort: "name", limit: maxCompared });
  const projects = new Set(items.map((each) => each.project));
  if (projects.has(project)) {
    const inProject = await catalogue.list({ ...everything, project, sort: "name", limit: maxCompared });
    const near = nearest(element, [...new Set(inProject.items.map((each) => each.element))]);
    if (near !== undefined) return error(`did you mean ${project}/${near}?`);
  }
  const near = nearest(project, [...projects]);
  return error(
    near === undefined || near === project
      ? "`stillage artifact list` shows what there is"
      : `did you mean the project ${near}?`,
  );
}

function namesOf(items: readonly ListedArtifact[]): string {
  return items.map(shownName).join(", ");
}
