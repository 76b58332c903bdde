import { artifactFolder, type CacheLayout, layout1, layout2, refPath } from "./cache-layout.ts";

/** The generations whose caches differ in where things lie. */
export type Shelf = "of 2" | "of 1";
export const shelves = ["of 2", "of 1"] as const;

/** Where things lie in an archive: as below the directory of a cache, where it can be unpacked. */
export const tarLayouts: Readonly<Record<Shelf, CacheLayout>> = {
  "of 2": layout2(""),
  "of 1": layout1(artifactFolder),
};

/** What an entry of an archive is by its path. */
export type TarMember =
  | { readonly kind: "object"; readonly shelf: Shelf; readonly hash: string }
  | { readonly kind: "ref"; readonly shelf: Shelf; readonly path: string };

/** `undefined` for whatever else lies in a cache. */
export function memberAt(path: string): TarMember | undefined {
  const plain = path.replace(/^(\.\/)+/, "");
  for (const shelf of shelves) {
    const { objects, refs } = tarLayouts[shelf];
    if (plain.startsWith(`${objects}/`)) {
      const [, two, rest] = /^([0-9a-f]{2})\/([0-9a-f]{62})$/.exec(plain.slice(objects.length + 1)) ?? [];
      return two === undefined ? undefined : { kind: "object", shelf, hash: `${two}${rest}` };
    }
    if (plain.startsWith(`${refs}/`)) {
      const [project = "", element = "", key = "", ...more] = plain.slice(refs.length + 1).split("/");
      const name = refPath(project, element, key);
      return name === undefined || more.length > 0 ? undefined : { kind: "ref", shelf, path: name };
    }
  }
  return undefined;
}

/** The path of a member, as `memberAt` reads it. */
export function pathOfMember(member: TarMember): string {
  const { objects, refs } = tarLayouts[member.shelf];
  if (member.kind === "ref") return `${refs}/${member.path}`;
  return `${objects}/${member.hash.slice(0, 2)}/${member.hash.slice(2)}`;
}
