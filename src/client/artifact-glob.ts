import { elementGlobs } from "../artifact/element-name.ts";
import { globMatches } from "../store/glob.ts";
import type { ArtifactGlob, IndexedArtifact } from "./artifact-index.ts";

/** What any key that matches begins with: the part before the first wildcard. */
export function keyBeginning(key: string): string {
  return /^[^*?]*/.exec(key)?.[0] ?? "";
}

/** Globs for what somebody calls an element: as it is stored, and as the file in the project. */
export function globsFor(project: string, element: string, key: string): ArtifactGlob[] {
  return elementGlobs(element).map((each) => ({ project, element: each, key }));
}

/** Means whatever there is. */
export const everyArtifact: ArtifactGlob = { project: "*", element: "*", key: "" };

/** Tells whether any of the globs means an artifact, by any of its keys. */
export function artifactMatcher(
  globs: readonly ArtifactGlob[],
): (artifact: Pick<IndexedArtifact, "project" | "element" | "keys">) => boolean {
  return ({ project, element, keys }) =>
    globs.some(
      (glob) =>
        globMatches(glob.project, project) &&
        globMatches(glob.element, element) &&
        keys.some((key) => globMatches(`${glob.key}*`, key)),
    );
}
