import { StillageError } from "../base/errors.ts";

/** Characters of a pattern, and wildcards in it: each name is held against it, and each wildcard tries what is left of a name anew. */
export const maxPatternLength = 255;
/** Of what is looked for in names and keys; a whole key has half of them. */
export const maxTextLength = 128;
const maxWildcards = 8;

/** Errors: `invalid` where one that is there is nothing to look for, or too much. */
export function checkPatterns(
  patterns: Readonly<Record<"project" | "element" | "key" | "text", string | undefined>>,
): void {
  for (const [what, pattern] of Object.entries(patterns)) {
    if (pattern === undefined) continue;
    const longest = what === "text" ? maxTextLength : maxPatternLength;
    if (pattern === "" || pattern.length > longest) {
      throw new StillageError("invalid", `the ${what} to look for has 1 to ${longest} characters`);
    }
    if ((pattern.match(/[*?]/g)?.length ?? 0) > maxWildcards) {
      throw new StillageError("invalid", `the ${what} to look for has more than ${maxWildcards} wildcards`);
    }
  }
}

/** How an element's file stands in the names of its artifacts: `sub/deep+plus.bst` is `sub-deep_plus`, as every release of BuildStream has it. */
export function normalName(element: string): string {
  const flat = element.replaceAll("/", "-");
  return flat.replace(/(?<=.)\.[^.]*$/, "").replace(/[^0-9A-Za-z\-._]/g, "_");
}

/**
 * The names, perhaps with wildcards, under which artifacts of what a user calls an element may stand: as it was said, and as BuildStream stores
 * `components/foo.bst` or `junction.bst:components/foo.bst`.
 */
export function elementGlobs(text: string): string[] {
  const own = text.slice(text.lastIndexOf(":") + 1);
  const stored = own
    .replace(/\.bst$/, "")
    .replaceAll("/", "-")
    .replace(/[^0-9A-Za-z\-._*?]/g, "_");
  return [...new Set([text, stored])].filter((each) => each !== "");
}

/** What to look for where somebody looks for `text`: parts of `PROJECT/ELEMENT`, the beginning of a key, or of the whole name. */
export interface SearchText {
  readonly texts: readonly string[];
  readonly key: string | undefined;
}

const keyLike = /^[0-9a-f]{1,128}$/;

export function searchFor(text: string): SearchText {
  const slash = text.indexOf("/");
  const [project, element] = [text.slice(0, slash + 1), text.slice(slash + 1)];
  const named = slash < 0 ? elementGlobs(text) : elementGlobs(element).map((each) => project + each);
  return { texts: [...new Set([...named, ...elementGlobs(text)])], key: keyLike.test(text) ? text : undefined };
}
