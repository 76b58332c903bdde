import type { ArtifactContent } from "../artifact/artifact-content.ts";
import type { Catalogue } from "../artifact/catalogue.ts";
import { shownName } from "../artifact/catalogue.ts";
import { StillageError } from "../base/errors.ts";
import { parseArtifactName } from "../cache/artifact-ref-name.ts";
import type { OpenCatalogue } from "../client/store-place.ts";
import type { FoundArtifact, ListedArtifact } from "../store/artifact-refs.ts";
import { storedArtifactMeant } from "./stored-artifact.ts";

/** Artifacts of one element that are looked at for one that is complete. */
const maxLooked = 200;
const pageSize = 50;

/** Names that are told to somebody who was not clear. */
const maxNamed = 10;

/** What a whole artifact is, and what it says. */
export interface WholeArtifact {
  readonly found: FoundArtifact;
  readonly content: ArtifactContent;
}

/**
 * The artifact to be released: `PROJECT/ELEMENT/KEY`, of which the key may be short; or, by the name of an element alone, its newest one that is complete and was built
 * well. Errors: `not-found` where there is none, or several projects have the element; `failed-precondition` where what was named cannot be released.
 */
export async function artifactToRelease(
  opened: OpenCatalogue,
  text: string,
  project: string | undefined,
): Promise<WholeArtifact> {
  const { catalogue } = opened;
  if (!isArtifactName(text)) return newestOf(catalogue, text, project);
  const found = await storedArtifactMeant(opened, text);
  if (!(await catalogue.complete(found))) {
    throw new StillageError("failed-precondition", `the artifact ${shownName(found)} is not complete in this store`, {
      hint: `\`stillage artifact show ${shownName(found)} --in STORE\` says what is missing; push it again`,
    });
  }
  const content = await catalogue.content(found);
  if (content.build.success === false) {
    throw new StillageError("failed-precondition", `the artifact ${shownName(found)} is of a build that failed`);
  }
  return { found, content };
}

/** Whether a text ends as only names of artifacts do: in some digits of a key. Elements are files, and end in `.bst`, or have no slash. */
function isArtifactName(text: string): boolean {
  return /^[0-9a-f]{4,128}$/.test(parseArtifactName(text)?.key ?? "");
}

async function newestOf(catalogue: Catalogue, element: string, project: string | undefined): Promise<WholeArtifact> {
  const query = { project, element, key: undefined, search: undefined, sort: "newest", limit: pageSize } as const;
  let first: WholeArtifact | undefined;
  const incomplete: ListedArtifact[] = [];
  const projects = new Set<string>();
  let cursor: string | undefined;
  let looked = 0;
  do {
    const page = await catalogue.list({ ...query, cursor });
    for (const listed of page.items) {
      looked += 1;
      projects.add(listed.project);
      if (first === undefined) {
        first = await ifWhole(catalogue, listed);
        if (first === undefined) incomplete.push(listed);
      }
    }
    cursor = page.next;
  } while (cursor !== undefined && looked < maxLooked);
  if (projects.size > 1) {
    throw new StillageError("not-found", `several projects have an element ${JSON.stringify(element)}`, {
      hint: `name one with --project: ${[...projects].slice(0, maxNamed).join(", ")}`,
    });
  }
  if (first !== undefined) return first;
  const where = project === undefined ? "" : ` of the project ${project}`;
  if (incomplete.length === 0) {
    throw new StillageError(
      "not-found",
      `there is no artifact of an element ${JSON.stringify(element)}${where} in this store`,
      {
        hint: `${/\/[0-9a-f]{1,3}$/.test(element) ? "a key is named by four of its digits at least; " : ""}\`stillage artifact list --in STORE\` shows what there is`,
      },
    );
  }
  throw new StillageError("failed-precondition", `no artifact of ${element}${where} is complete and was built well`, {
    hint: `there is ${incomplete.slice(0, maxNamed).map(shownName).join(", ")}`,
  });
}

async function ifWhole(
  catalogue: Catalogue,
  { project, element, keys }: ListedArtifact,
): Promise<WholeArtifact | undefined> {
  const found = await catalogue.find({ project, element, key: keys[0] ?? "" });
  if (found === undefined || !(await catalogue.complete(found))) return undefined;
  const content = await catalogue.content(found);
  return content.build.success === false ? undefined : { found, content };
}
