/** What a path of the OSTree view of a cache names. */
export type OstreePath = { readonly instance: string } & (
  | { readonly kind: "config" | "summary" }
  | { readonly kind: "ref"; readonly ref: string }
  | { readonly kind: "commit" | "metadata" | "file" | "detached"; readonly checksum: string }
  /** What a repository may have and a cache has not: signatures of the summary, static deltas, objects of other kinds. */
  | { readonly kind: "absent" }
);

const kinds = {
  commit: "commit",
  dirtree: "metadata",
  dirmeta: "metadata",
  filez: "file",
  commitmeta: "detached",
} as const;

/** `/ostree/`, perhaps an instance, and a path in a repository. An instance may have any name, so the shortest is taken that leaves such a path. */
const form =
  /^\/ostree\/(?:(.{1,1000}?)\/)??(?:(config|summary)|(summary\.sig)|refs\/heads\/(.{1,1024})|objects\/([0-9a-f]{2})\/([0-9a-f]{62})\.([a-z0-9]+)|(delta-indexes|deltas|refs|objects|summaries|extensions|state|tmp)(?:\/.*)?)$/;

/** `undefined` for a path of something else. `+` is a plus. */
export function parseOstreePath(path: string): OstreePath | undefined {
  const found = form.exec(path);
  if (found === null) return undefined;
  const [, prefix = "", file, , ref, head, rest, suffix = ""] = found;
  const instance = decoded(prefix);
  if (instance === undefined) return undefined;
  if (file === "config" || file === "summary") return { instance, kind: file };
  if (ref !== undefined) return { instance, kind: "ref", ref };
  if (head === undefined || !Object.hasOwn(kinds, suffix)) return { instance, kind: "absent" };
  return { instance, kind: kinds[suffix as keyof typeof kinds], checksum: `${head}${rest}` };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
