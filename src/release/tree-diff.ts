import { StillageError } from "../base/errors.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import type { DirTree } from "../ostree/dirtree.ts";

/** A path that is not the same in two trees. Directories end in `/`. */
export interface TreeChange {
  readonly path: string;
  readonly change: "added" | "removed" | "modified";
}

/** Directories within each other. */
const maxDepth = 1000;

const empty: DirTree = { files: [], directories: [] };

/** The root of a tree: its dirtree and its dirmeta. */
export interface TreeRoot {
  readonly tree: string;
  readonly treeMeta: string;
}

/**
 * What differs from one tree to another, directory by directory; what is equal is not read. Of an added or removed directory everything in it is named, too.
 * Memory: the directories on the way down. Errors: `corrupt` where an object is missing.
 */
export async function* treeDiff(
  archive: ArchiveRepository,
  from: TreeRoot,
  to: TreeRoot,
): AsyncGenerator<TreeChange, void> {
  if (from.treeMeta !== to.treeMeta) yield { path: "/", change: "modified" };
  if (from.tree !== to.tree) yield* diffBelow(archive, "/", from.tree, to.tree, 0);
}

async function* diffBelow(
  archive: ArchiveRepository,
  prefix: string,
  from: string | undefined,
  to: string | undefined,
  depth: number,
): AsyncGenerator<TreeChange, void> {
  if (depth > maxDepth) throw new StillageError("invalid", `the tree has directories deeper than ${maxDepth} levels`);
  const [before, after] = [await read(archive, from), await read(archive, to)];
  for (const [name, was, is] of pairs(before.files, after.files)) {
    if (was?.checksum !== is?.checksum) yield { path: prefix + name, change: changeOf(was, is) };
  }
  for (const [name, was, is] of pairs(before.directories, after.directories)) {
    if (was?.tree === is?.tree && was?.meta === is?.meta) continue;
    const path = `${prefix}${name}/`;
    if (was?.meta !== is?.meta) yield { path, change: changeOf(was, is) };
    if (was?.tree !== is?.tree) yield* diffBelow(archive, path, was?.tree, is?.tree, depth + 1);
  }
}

const changeOf = (was: object | undefined, is: object | undefined): TreeChange["change"] =>
  was === undefined ? "added" : is === undefined ? "removed" : "modified";

/** The entries of two directories by name, side by side. */
function pairs<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
): [name: string, was: T | undefined, is: T | undefined][] {
  const were = new Map(before.map((each) => [each.name, each]));
  const are = new Map(after.map((each) => [each.name, each]));
  const names = [...new Set([...were.keys(), ...are.keys()])].sort();
  return names.map((name) => [name, were.get(name), are.get(name)]);
}

async function read(archive: ArchiveRepository, checksum: string | undefined): Promise<DirTree> {
  if (checksum === undefined) return empty;
  const tree = await archive.dirTree(checksum);
  if (tree !== undefined) return tree;
  throw new StillageError("corrupt", `the directory ${checksum} is missing in the repository`, {
    hint: "pull the release again from a mirror",
  });
}
