import type { Entry } from "../../artifact/directory-entries.ts";
import { type Digest, keyOfDigest, sameDigest } from "../../base/digest.ts";
import { ostree, sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { runningHash } from "../../base/hash.ts";
import type { FileContents, FileEntry } from "../reading/file-contents.ts";
import { compareNames, maxPaths } from "../reading/tree-paths.ts";
import { maxLevels, tooDeep, type WholeDirectory } from "../reading/whole-tree.ts";

/** What of an entry is not the same. */
export type Difference = "type" | "content" | "executable" | "target";

/** A path that is not the same in two trees. */
export interface TreeChange {
  readonly path: string;
  /** Undefined where it is not there. */
  readonly from: Entry | undefined;
  readonly to: Entry | undefined;
  /** Empty where it is only on one side. */
  readonly differences: readonly Difference[];
}

/** One of two trees. */
export interface ComparedTree {
  /** `undefined` for an artifact that has no such tree: it has nothing in it. */
  readonly root: Digest | undefined;
  /** Reads directories of one level, all at once. */
  readLevel(digests: readonly Digest[]): Promise<void>;
  /** One that was read. */
  directory(digest: Digest): WholeDirectory;
  readonly files: FileContents;
}

type Pair = readonly [from: Digest | undefined, to: Digest | undefined];

const nothing: WholeDirectory = { entries: [], modified: undefined };

/**
 * What differs between two trees, in the order of paths; directories that are equal are not read. Of one that is on one side only, everything in it is told. Errors: those of
 * the places; before the first difference `unsupported` for more than `maxPaths` entries in directories that differ, or too many levels.
 */
export async function* treeChanges(
  from: ComparedTree,
  to: ComparedTree,
  signal: AbortSignal,
): AsyncGenerator<TreeChange, void> {
  const roots: Pair = [from.root, to.root];
  await readBoth(from, to, roots, signal);
  checkExtent(from, to, roots);
  yield* below("", roots);

  async function* below(prefix: string, pair: Pair): AsyncGenerator<TreeChange, void> {
    signal.throwIfAborted();
    for (const [was, is] of entryPairs(from, to, pair)) {
      const path = prefix + ((was ?? is) as Entry).name;
      const differences = was && is ? await differencesOf(was, is) : [];
      if (was === undefined || is === undefined || differences.length > 0) {
        yield { path, from: was, to: is, differences };
      }
      const inner = directoryPair(was, is);
      if (inner !== undefined) yield* below(`${path}/`, inner);
    }
  }

  async function differencesOf(was: Entry, is: Entry): Promise<Difference[]> {
    if (was.type !== is.type) return ["type"];
    if (was.type === "symlink" && is.type === "symlink") return was.target === is.target ? [] : ["target"];
    if (was.type !== "file" || is.type !== "file") return [];
    const found: Difference[] = [];
    if (was.size !== is.size || !(await sameContent(was, is))) found.push("content");
    if (was.executable !== is.executable) found.push("executable");
    return found;
  }

  /** Digests of file objects say more than what is in a file, and are another function's. */
  async function sameContent(was: FileEntry, is: FileEntry): Promise<boolean> {
    if (sameDigest(was.digest, is.digest)) return true;
    if (was.digest.function === is.digest.function && was.digest.function !== ostree) return false;
    return (await plainHash(was, from.files)) === (await plainHash(is, to.files));
  }

  async function plainHash(file: FileEntry, files: FileContents): Promise<string> {
    if (file.digest.function === sha256) return file.digest.hash;
    const hash = runningHash(sha256);
    for await (const piece of files.read(file, signal)) hash.update(piece);
    return hash.digest("hex");
  }
}

/** Reads all directories that are not the same on both sides, a level at a time. */
async function readBoth(from: ComparedTree, to: ComparedTree, roots: Pair, signal: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  let depth = 0;
  for (let level: Pair[] = [roots]; level.length > 0; ) {
    signal.throwIfAborted();
    if (depth++ > maxLevels) throw tooDeep();
    const of = (side: 0 | 1): Digest[] => level.flatMap((pair) => pair[side] ?? []);
    await Promise.all([from.readLevel(of(0)), to.readLevel(of(1))]);
    const next: Pair[] = [];
    for (const pair of level) {
      for (const [was, is] of entryPairs(from, to, pair)) {
        const inner = directoryPair(was, is);
        if (inner === undefined) continue;
        const key = keyOfPair(inner);
        if (!seen.has(key)) next.push(inner);
        seen.add(key);
        if (seen.size > maxPaths) throw new StillageError("unsupported", `more than ${maxPaths} directories differ`);
      }
    }
    level = next;
  }
}

/** A tree of a few kilobytes, which has each directory in it twice, may differ in more paths than anybody could be told of. */
function checkExtent(from: ComparedTree, to: ComparedTree, roots: Pair): void {
  const known = new Map<string, { entries: number; levels: number }>();
  if (below(roots, 0).entries > maxPaths) {
    throw new StillageError("unsupported", `the trees differ in directories of more than ${maxPaths} entries`);
  }

  function below(pair: Pair, depth: number): { entries: number; levels: number } {
    const key = keyOfPair(pair);
    const before = known.get(key);
    // One that is in there twice may lie deeper the second time.
    if (depth + (before?.levels ?? 0) > maxLevels) throw tooDeep();
    if (before !== undefined) return before;
    const extent = { entries: 0, levels: 0 };
    for (const [was, is] of entryPairs(from, to, pair)) {
      extent.entries += 1;
      const inner = directoryPair(was, is);
      if (inner === undefined) continue;
      const { entries, levels } = below(inner, depth + 1);
      extent.entries += entries;
      extent.levels = Math.max(extent.levels, levels + 1);
    }
    known.set(key, extent);
    return extent;
  }
}

const keyOfPair = (pair: Pair): string => pair.map((digest) => (digest ? keyOfDigest(digest) : "")).join("|");

/** The directories of a pair of entries that have to be compared; `undefined` where there is nothing to compare. */
function directoryPair(was: Entry | undefined, is: Entry | undefined): Pair | undefined {
  const [a, b] = [was, is].map((entry) => (entry?.type === "directory" ? entry.digest : undefined));
  if (a === undefined && b === undefined) return undefined;
  return a !== undefined && b !== undefined && sameDigest(a, b) ? undefined : [a, b];
}

/** The entries of two directories by name, side by side. */
function* entryPairs(
  from: ComparedTree,
  to: ComparedTree,
  [a, b]: Pair,
): Generator<readonly [was: Entry | undefined, is: Entry | undefined]> {
  const were = (a === undefined ? nothing : from.directory(a)).entries;
  const are = (b === undefined ? nothing : to.directory(b)).entries;
  // Of Directory messages they come in another order than that of paths.
  const names = (entries: readonly Entry[]): Map<string, Entry> => new Map(entries.map((each) => [each.name, each]));
  const [before, after] = [names(were), names(are)];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort(compareNames)) {
    yield [before.get(name), after.get(name)];
  }
}
