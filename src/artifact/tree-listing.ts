import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import { isEmptyBlob } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { inParallel } from "../base/in-parallel.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { knownNode } from "./commit-entries.ts";
import { maxListedBytes, mayBeName } from "./directory-entries.ts";
import { type Page, readCursor, writeCursor } from "./page.ts";
import { readOrProblem } from "./read-or-problem.ts";
import { directoryMessages, type TreeFormat } from "./tree-format.ts";
import type { KnownNode, TreeNode } from "./tree-node.ts";

/** Directories within each other that are listed. Paths on Linux have at most 4096 characters. */
export const maxDepth = 100;

/** Bytes of memory that an entry takes besides those in the message, which may be few. */
const entryBytes = 100;

/** Bytes of directories that one page reads, with their entries, but for those on the way to its first entry. */
const maxPageBytes = 2 * maxListedBytes;

/** Bytes of directories that are read on the way to a path. */
const maxPathBytes = 2 * maxListedBytes;

/** Bytes of directories within each other and their entries, which are in memory together. */
const maxOpenBytes = 2 * maxListedBytes;

/** Files of which it is asked at a time what they are. */
const looksAtOnce = 16;

/** After larger ones others have their turn. */
const largeBytes = 256 << 10;

const tooLarge = "lies in directories that are too large to be listed";

/** A file, directory or link of a tree. */
export interface TreeEntry {
  /** From the root of the tree, with `/` between names. */
  readonly path: string;
  readonly type: KnownNode["type"];
  /** Of the blob that a file is, or of the Directory message or dirtree. */
  readonly digest?: Digest;
  /** Bytes of a file's content. */
  readonly size?: number;
  readonly executable?: boolean;
  /** Where a link leads, as it says. */
  readonly target?: string;
  /** Why what is in a directory is not listed, or nothing is known of a file. */
  readonly problem?: string;
}

export interface TreeQuery {
  /** Where in the tree to begin; empty: at its root. */
  readonly path: string;
  /** Also what lies in directories of the directory. */
  readonly recursive: boolean;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** A directory that is being listed: `next` is the entry that comes next. */
interface Level {
  readonly prefix: string;
  readonly entries: readonly TreeNode[];
  /** Of its message, and what its entries take besides. */
  readonly bytes: number;
  next: number;
}

/**
 * A page of the tree below `root`: the entries of each directory by name, each followed by what is in it. Directories that are not there or cannot
 * be read are listed, and why. A cursor is good for one tree and path: positions in directories, which never change.
 * Errors: `not-found` where nothing has the path, `invalid` for a cursor of another tree, and for directories that are too large.
 */
export async function listTree(
  blobs: BlobReader,
  root: Digest,
  query: TreeQuery,
  format: TreeFormat = directoryMessages,
): Promise<Page<TreeEntry>> {
  const start = await resolvePath(blobs, root, query.path, format);
  if (start.type !== "directory") return { items: [await shown(blobs, query.path, start)], next: undefined };
  if (start.digest === undefined) throw new StillageError("not-found", "the directory is not in this cache");
  const listing = new Listing(blobs, query, format);
  const tree = `${start.digest.hash.slice(0, 16)}${query.recursive ? "" : "."}`;
  await listing.begin(start.digest, query.cursor === undefined ? [0] : placeIn(query.cursor, tree));
  await listing.run();
  const place = listing.place();
  return { items: await listing.shown(), next: place && writeCursor([tree, ...place]) };
}

class Listing {
  private readonly items: { path: string; entry: TreeNode; problem: string | undefined }[] = [];
  private readonly blobs: BlobReader;
  private readonly query: TreeQuery;
  private readonly format: TreeFormat;
  private readonly levels: Level[] = [];
  private bytes = 0;

  constructor(blobs: BlobReader, query: TreeQuery, format: TreeFormat) {
    this.blobs = blobs;
    this.query = query;
    this.format = format;
  }

  /** Goes to a place: in each directory on the way there the number of the entry to enter, and at last of the one that comes next. */
  async begin(root: Digest, place: readonly number[]): Promise<void> {
    const problem = await this.enter(root, this.query.path);
    if (problem !== undefined) throw new StillageError("not-found", `the directory ${problem}`);
    for (const [depth, at] of place.entries()) {
      const level = this.levels.at(-1);
      if (level === undefined) return; // the empty directory
      level.next = at;
      if (depth === place.length - 1) break;
      const entry = level.entries[at];
      level.next++;
      const lost = entry?.type === "directory" ? await this.enter(entry.digest, joined(level, entry)) : "is none";
      if (lost !== undefined) throw new StillageError("invalid", `the cursor leads to a directory that ${lost}`);
    }
  }

  /** Lists until the page is full. */
  async run(): Promise<void> {
    const { limit, recursive } = this.query;
    this.bytes = 0;
    while (this.place() !== undefined && this.items.length < limit && this.bytes < maxPageBytes) {
      const level = this.levels.at(-1) as Level;
      const entry = level.entries[level.next++] as TreeNode;
      const path = joined(level, entry);
      const deeper = recursive && entry.type === "directory";
      const problem = deeper ? await this.enter(entry.digest, path) : undefined;
      this.items.push({ path, entry, problem });
    }
  }

  /** What was listed, as it is told of. */
  async shown(): Promise<TreeEntry[]> {
    const entries = new Array<TreeEntry>(this.items.length);
    await inParallel(this.items.entries(), looksAtOnce, async ([i, { path, entry, problem }]) => {
      entries[i] = await shown(this.blobs, path, entry, problem);
    });
    return entries;
  }

  /** Where the next page goes on, as `begin` takes it; `undefined` at the end of the tree. Leaves directories that are done. */
  place(): number[] | undefined {
    while (this.levels.length > 0) {
      const level = this.levels.at(-1) as Level;
      if (level.next < level.entries.length) {
        return this.levels.map(({ next }, depth) => (depth === this.levels.length - 1 ? next : next - 1));
      }
      this.levels.pop();
    }
    return undefined;
  }

  /** Reads a directory to be listed next; returns why it is not. */
  private async enter(digest: Digest | undefined, prefix: string): Promise<string | undefined> {
    if (digest === undefined) return "is not in this cache";
    if (this.levels.length >= maxDepth) return `lies deeper than ${maxDepth} directories`;
    if (isEmptyBlob(digest)) return undefined;
    const open = this.levels.reduce((sum, { bytes }) => sum + bytes, 0);
    if (open + digest.size > maxOpenBytes) return tooLarge;
    const entries = await readOrProblem(() => this.format.readEntries(this.blobs, digest));
    if (typeof entries === "string") return entries;
    const bytes = digest.size + entries.length * entryBytes;
    this.bytes += bytes;
    if (bytes > largeBytes) await breath();
    if (open + bytes > maxOpenBytes) return tooLarge;
    this.levels.push({ prefix: prefix === "" ? "" : `${prefix}/`, entries, bytes, next: 0 });
    return undefined;
  }
}

/** The file, directory or link at a path of a tree. Links are not followed. Errors: `not-found`. */
export async function resolvePath(
  blobs: BlobReader,
  root: Digest,
  path: string,
  format: TreeFormat = directoryMessages,
): Promise<TreeNode> {
  let entry: TreeNode = { type: "directory", name: "", digest: root };
  const names = path === "" ? [] : path.split("/");
  if (names.length > maxDepth) throw new StillageError("not-found", `the path has more than ${maxDepth} names`);
  let bytes = 0;
  for (const name of names) {
    const found = await childOf(entry, name);
    if (typeof found === "string") {
      const why = found === "none" ? "" : `: a directory on the way ${found}`;
      throw new StillageError("not-found", `there is no ${JSON.stringify(path.slice(0, 200))} in this tree${why}`);
    }
    entry = found;
  }
  return entry;

  async function childOf(parent: TreeNode, name: string): Promise<TreeNode | string> {
    if (parent.type !== "directory" || !mayBeName(name)) return "none";
    const { digest } = parent;
    if (digest === undefined) return "is not in this cache";
    bytes += digest.size;
    if (bytes > maxPathBytes) return "or more of them are too large to be read";
    const found = await readOrProblem(() => format.readEntry(blobs, digest, name));
    if (digest.size > largeBytes) await breath();
    return found;
  }
}

function joined({ prefix }: Level, { name }: TreeNode): string {
  return prefix + name;
}

async function shown(blobs: BlobReader, path: string, entry: TreeNode, problem?: string): Promise<TreeEntry> {
  const known = entry.type === "object" ? await readOrProblem(() => knownNode(blobs, entry)) : entry;
  if (typeof known === "string") return { path, type: "file", problem: known };
  const { type } = known;
  if (type === "symlink") return { path, type, target: known.target };
  if (type === "file") {
    const { digest, size, executable } = known;
    return { path, type, digest, size, executable };
  }
  const { digest } = known;
  return { path, type, ...(digest && { digest }), ...(problem !== undefined && { problem }) };
}

function placeIn(cursor: string, tree: string): number[] {
  const [, ...place] = readCursor(cursor, (value): value is [string, ...number[]] => {
    if (!Array.isArray(value) || value[0] !== tree || value.length < 2 || value.length > maxDepth + 1) return false;
    return value.slice(1).every((each) => Number.isSafeInteger(each) && each >= 0);
  });
  return place;
}
