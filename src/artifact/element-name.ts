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
