import { elementGlobs } from "../artifact/element-name.ts";
import type { ArtifactGlob, IndexedArtifact } from "./artifact-index.ts";

/** Whether a text has something that stands for other text. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** What any key that matches begins with: the part before the first wildcard. */
export function keyBeginning(key: string): string {
  return /^[^*?]*/.exec(key)?.[0] ?? "";
}

/** Globs for what somebody calls an element: as it is stored, and as the file in the project. */
export function globsFor(project: string, element: string, key: string): ArtifactGlob[] {
  return elementGlobs(element).map((each) => ({ project, element: each, key }));
}

export const everyArtifact: ArtifactGlob = { project: "*", element: "*", key: "" };

/** Tells whether any of the globs means an artifact, by any of its keys. */
export function artifactMatcher(
  globs: readonly ArtifactGlob[],
): (artifact: Pick<IndexedArtifact, "project" | "element" | "keys">) => boolean {
  const tests = globs.map(({ project, element, key }) => ({
    project: textMatcher(project),
    element: textMatcher(element),
    key: textMatcher(`${key}*`),
  }));
  return ({ project, element, keys }) =>
    tests.some((test) => test.project(project) && test.element(element) && keys.some((each) => test.key(each)));
}

/** Tells whether a whole text is what a glob stands for; `anyCase` for ASCII letters in either case. Takes time that grows with both lengths alone. */
export function textMatcher(glob: string, anyCase = false): (text: string) => boolean {
  const fold = (text: string): string => (anyCase ? text.toLowerCase() : text);
  const pattern = fold(glob);
  if (!isGlob(pattern)) return (text) => fold(text) === pattern;
  return (text) => matches(pattern, fold(text));
}

/** The last `*` takes one more character whenever what follows does not fit: no other one need be tried again. */
function matches(pattern: string, text: string): boolean {
  let [p, t, star, from] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") [star, from, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, from, t] = [star + 1, from + 1, from + 1];
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
