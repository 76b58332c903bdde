import { checkPatterns, searchFor } from "../../artifact/element-name.ts";
import { globMatches } from "../../store/glob.ts";
import { globsFor } from "../artifact-glob.ts";
import type { ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";

/** By when artifacts were pushed, or by `PROJECT/ELEMENT/KEY`. */
export const listOrders = ["newest", "oldest", "name"] as const;

/** What is listed, and in which order; what is `undefined` is not looked at. */
export interface ListedBy {
  /** May have `*` and `?`. */
  readonly project: string | undefined;
  /** The same; as it is stored, or as the file in the project. */
  readonly element: string | undefined;
  /** How a key begins. */
  readonly key: string | undefined;
  /** A part of `PROJECT/ELEMENT`, or the beginning of a key. */
  readonly search: string | undefined;
  readonly sort: (typeof listOrders)[number];
}

/**
 * What an index has. It is held in memory to be sorted, unless the index gives it in the order that is wanted. Where nothing tells when artifacts came, they are sorted by their
 * names. Errors: `invalid` for patterns that are empty or too long; those of the index.
 */
export async function* listArtifacts(
  index: ArtifactIndex,
  { project, element, key, search, sort }: ListedBy,
  signal: AbortSignal,
): AsyncGenerator<IndexedArtifact> {
  checkPatterns({ project, element, key, text: search });
  const isMeant = search === undefined ? () => true : searcher(search);
  const globs = globsFor(project ?? "*", element ?? "*", key ?? "");
  const held: IndexedArtifact[] = [];
  const inOrder = sort === "newest" && index.newestFirst === true;
  for await (const artifact of index.list(globs, signal)) {
    if (!isMeant(artifact)) continue;
    if (inOrder) yield artifact;
    else held.push(artifact);
  }
  yield* held.sort(
    sort === "name" ? byName : sort === "oldest" ? (a, b) => -byTime(a, b) || byName(a, b) : byTimeAndName,
  );
}

/** As the catalogue of a server has it: ASCII letters count in either case. */
function searcher(text: string): (artifact: IndexedArtifact) => boolean {
  const { texts, key } = searchFor(text);
  const globs = texts.map((each) => `*${lower(each)}*`);
  return ({ project, element, keys }) => {
    const name = lower(`${project}/${element}`);
    return (
      globs.some((glob) => globMatches(glob, name)) || (key !== undefined && keys.some((each) => each.startsWith(key)))
    );
  };
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function byName(a: IndexedArtifact, b: IndexedArtifact): number {
  return compare(a.project, b.project) || compare(a.element, b.element) || byTime(a, b);
}

/** The newest first. */
function byTime(a: IndexedArtifact, b: IndexedArtifact): number {
  return (b.record?.pushed ?? 0) - (a.record?.pushed ?? 0);
}

const byTimeAndName = (a: IndexedArtifact, b: IndexedArtifact): number => byTime(a, b) || byName(a, b);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
