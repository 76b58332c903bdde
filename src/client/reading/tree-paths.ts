import type { Entry } from "../../artifact/directory-entries.ts";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { maxLevels, tooDeep, type WholeTree } from "./whole-tree.ts";

/** Files, links and directories of a tree. A tree of a few kilobytes can have any number, by having each directory in it twice. */
export const maxPaths = 5_000_000;

/** An entry, and its path from the root. */
export interface PathEntry {
  readonly path: string;
  readonly entry: Entry;
}

/** In which order the entries of a directory come; each directory is followed by what is in it. */
export type EntryOrder = "by name" | "directories last";

/** How much there is in a tree; what is in a directory that is there twice counts twice. */
export interface TreeTotals {
  readonly entries: number;
  readonly files: number;
  /** Of files. */
  readonly bytes: number;
}

/** Errors: `unsupported` for more than `maxLevels` directories within each other. */
export function treeTotals(tree: WholeTree): TreeTotals {
  const known = new Map<object, TreeTotals & { levels: number }>();
  return below(tree.root, 0);

  function below(digest: Digest, depth: number): TreeTotals & { levels: number } {
    const directory = tree.directory(digest);
    const before = known.get(directory);
    // One that is in there twice may lie deeper the second time.
    if (depth + (before?.levels ?? 0) > maxLevels) throw tooDeep();
    if (before !== undefined) return before;
    const totals = { entries: 0, files: 0, bytes: 0, levels: 0 };
    for (const entry of directory.entries) {
      totals.entries += 1;
      if (entry.type === "file") {
        totals.files += 1;
        totals.bytes += entry.size;
      } else if (entry.type === "directory") {
        const inner = below(entry.digest, depth + 1);
        totals.entries += inner.entries;
        totals.files += inner.files;
        totals.bytes += inner.bytes;
        totals.levels = Math.max(totals.levels, inner.levels + 1);
      }
    }
    known.set(directory, totals);
    return totals;
  }
}

/** All entries of a tree. Names are in the order of their code points, as UTF-8 bytes are. Errors: `unsupported` where there are more than `maxPaths`, before the first. */
export function* treePaths(tree: WholeTree, order: EntryOrder = "by name"): Generator<PathEntry> {
  if (treeTotals(tree).entries > maxPaths)
    throw new StillageError("unsupported", `the tree has more than ${maxPaths} entries`);
  const sorted = new Map<object, readonly Entry[]>();
  yield* below("", tree.root);

  function* below(prefix: string, digest: Digest): Generator<PathEntry> {
    const directory = tree.directory(digest);
    let entries = sorted.get(directory);
    if (entries === undefined) {
      entries = inOrder(directory.entries, order);
      sorted.set(directory, entries);
    }
    for (const entry of entries) {
      const path = prefix + entry.name;
      yield { path, entry };
      if (entry.type === "directory") yield* below(`${path}/`, entry.digest);
    }
  }
}

function inOrder(entries: readonly Entry[], order: EntryOrder): readonly Entry[] {
  const isLast = (entry: Entry): number => (order === "directories last" && entry.type === "directory" ? 1 : 0);
  return entries.toSorted((a, b) => isLast(a) - isLast(b) || compareNames(a.name, b.name));
}

/** By code points: UTF-16 has those from U+10000 on before some of the others. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0; ; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    if (Number.isNaN(x)) return -1;
    if (Number.isNaN(y)) return 1;
    return rank(x) - rank(y);
  }
}

/** Surrogates stand for characters above all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);
