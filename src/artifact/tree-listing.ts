import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import { isEmptyBlob } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { readOrProblem } from "./directory-content.ts";
import { type Entry, maxListedBytes, mayBeName, readEntries, readEntry } from "./directory-entries.ts";
import { type Page, readCursor, writeCursor } from "./page.ts";

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

/** After larger ones others have their turn. */
const largeBytes = 256 << 10;

const tooLarge = "lies in directories that are too large to be listed";

/** A file, directory or link of a tree. */
export interface TreeEntry {
  /** From the root of the tree, with `/` between names. */
  readonly path: string;
  readonly type: Entry["type"];
  /** Of a file's content, or of the Directory message. */
  readonly digest?: Digest;
  readonly executable?: boolean;
  /** Where a link leads, as it says. */
  readonly target?: string;
  /** Why what is in a directory is not listed. */
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
  readonly entries: readonly Entry[];
  /** Of its message, and what its entries take besides. */
  readonly bytes: number;
  next: number;
}

/**
 * A page of the tree below `root`: the entries of each directory by name, each followed by what is in it. Directories that are not there or cannot
 * be read are listed, and why. A cursor is good for one tree and path: positions in directories, which never change.
 * Errors: `not-found` where nothing has the path, `invalid` for a cursor of another tree, and for directories that are too large.
 */
export async function listTree(blobs: BlobReader, root: Digest, query: TreeQuery): Promise<Page<TreeEntry>> {
  const start = await resolvePath(blobs, root, query.path);
  if (start.type !== "directory") return { items: [shown(query.path, start)], next: undefined };
  const listing = new Listing(blobs, query);
  const tree = `${start.digest.hash.slice(0, 16)}${query.recursive ? "" : "."}`;
  await listing.begin(start.digest, query.cursor === undefined ? [0] : placeIn(query.cursor, tree));
  await listing.run();
  const place = listing.place();
  return { items: listing.items, next: place && writeCursor([tree, ...place]) };
}

class Listing {
  readonly items: TreeEntry[] = [];
  private readonly blobs: BlobReader;
  private readonly query: TreeQuery;
  private readonly levels: Level[] = [];
  private bytes = 0;

  constructor(blobs: BlobReader, query: TreeQuery) {
    this.blobs = blobs;
    this.query = query;
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
      const entry = level.entries[level.next++] as Entry;
      const path = joined(level, entry);
      const deeper = recursive && entry.type === "directory";
      const problem = deeper ? await this.enter(entry.digest, path) : undefined;
      this.items.push({ ...shown(path, entry), ...(problem === undefined ? {} : { problem }) });
    }
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
  private async enter(digest: Digest, prefix: string): Promise<string | undefined> {
    if (this.levels.length >= maxDepth) return `lies deeper than ${maxDepth} directories`;
    if (isEmptyBlob(digest)) return undefined;
    const open = this.levels.reduce((sum, { bytes }) => sum + bytes, 0);
    if (open + digest.size > maxOpenBytes) return tooLarge;
    const entries = await readOrProblem(() => readEntries(this.blobs, digest));
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
export async function resolvePath(blobs: BlobReader, root: Digest, path: string): Promise<Entry> {
  let entry: Entry = { type: "directory", name: "", digest: root };
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

  async function childOf(parent: Entry, name: string): Promise<Entry | string> {
    if (parent.type !== "directory" || !mayBeName(name)) return "none";
    bytes += parent.digest.size;
    if (bytes > maxPathBytes) return "or more of them are too large to be read";
    const found = await readOrProblem(() => readEntry(blobs, parent.digest, name));
    if (parent.digest.size > largeBytes) await breath();
    return found;
  }
}

function joined({ prefix }: Level, { name }: Entry): string {
  return prefix + name;
}

function shown(path: string, entry: Entry): TreeEntry {
  const { type } = entry;
  if (type === "symlink") return { path, type, target: entry.target };
  if (type === "directory") return { path, type, digest: entry.digest };
  return { path, type, digest: entry.digest, executable: entry.executable };
}

function placeIn(cursor: string, tree: string): number[] {
  const [, ...place] = readCursor(cursor, (value): value is [string, ...number[]] => {
    if (!Array.isArray(value) || value[0] !== tree || value.length < 2 || value.length > maxDepth + 1) return false;
    return value.slice(1).every((each) => Number.isSafeInteger(each) && each >= 0);
  });
  return place;
}
