import { StillageError } from "../../base/errors.ts";
import { type FileHeader, fileType, linkType, typeBits } from "../../base/ostree-file.ts";
import { canonicalDirectory, canonicalFile, canonicalLink } from "../canonical-mode.ts";
import { contentChecksum } from "../commit.ts";
import { type DirMeta, directoryType, encodeDirMeta } from "../dirmeta.ts";
import { encodeDirTree, type TreeDirectory, type TreeFile } from "../dirtree.ts";
import { checkName } from "../names.ts";
import type { Checksum } from "../object-name.ts";
import { Lanes } from "./lanes.ts";
import type { RepositoryChange } from "./repository-change.ts";
import type { DirectoryEntry, FileEntry, LinkEntry } from "./tree-entry.ts";

/** Directories in each other; clients follow no more. */
const maxDepth = 256;

/** Files at work at the same time: enough that every thread of zlib's has something to do, and 16 MiB of content at most. */
const filesAtOnce = 16;

export interface CommitTreeOptions {
  /** Whether every entry is root's, without setuid and the like, as BuildStream and Flatpak publish: the tree then is the same whoever makes it. */
  readonly canonical: boolean;
  readonly signal?: AbortSignal;
}

export interface CommittedTree {
  /** The dirtree of the root. */
  readonly tree: Checksum;
  /** The dirmeta of the root. */
  readonly treeMeta: Checksum;
  readonly contentChecksum: Checksum;
  /** Files and links. */
  readonly files: number;
  /** Bytes of plain content. */
  readonly bytes: number;
}

/** Puts all objects of a tree into a change. Errors: `invalid` for names and depths that cannot be, those of reading the tree. */
export async function commitTree(
  change: RepositoryChange,
  root: DirectoryEntry,
  options: CommitTreeOptions,
): Promise<CommittedTree> {
  const walk = new TreeWalk(change, options);
  const { done } = await walk.begin(root, "", 0);
  const { tree, meta: treeMeta, files, bytes } = await done;
  return { tree, treeMeta, contentChecksum: contentChecksum({ tree, treeMeta }), files, bytes };
}

/** What a directory came to, with all below it. */
interface Done extends Omit<TreeDirectory, "name"> {
  readonly files: number;
  readonly bytes: number;
  /** How deep directories lie in each other below it. */
  readonly height: number;
}

/** A directory of which all entries have been begun. */
interface Begun {
  readonly done: Promise<Done>;
}

interface NamedDirectory {
  readonly name: string;
  readonly done: Promise<Done>;
}

class TreeWalk {
  private readonly change: RepositoryChange;
  private readonly options: CommitTreeOptions;
  private readonly lanes = new Lanes(filesAtOnce);
  private readonly metas = new Map<string, Promise<Checksum>>();
  /** Those that say which are the same. A few of them in each other can make a tree without end. */
  private readonly begun = new Map<string, Begun>();

  constructor(change: RepositoryChange, options: CommitTreeOptions) {
    this.change = change;
    this.options = options;
  }

  /** Begins one entry after the other, as lanes become free, so that only the directories on the way down and files at work are in memory. */
  async begin(directory: DirectoryEntry, path: string, depth: number): Promise<Begun> {
    if (depth > maxDepth) throw tooDeep(path);
    const before = directory.same === undefined ? undefined : this.begun.get(directory.same);
    if (before !== undefined) return before;
    const files: Promise<TreeFile & { readonly size: number }>[] = [];
    const directories: NamedDirectory[] = [];
    for await (const entry of directory.entries()) {
      this.options.signal?.throwIfAborted();
      checkName(entry.name);
      if (entry.kind === "directory") {
        const { done } = await this.begin(entry, `${path}${entry.name}/`, depth + 1);
        directories.push({ name: entry.name, done });
        continue;
      }
      await this.lanes.take();
      files.push(this.lanes.run(() => this.file(entry, path)));
    }
    const done = this.finish(directory, files, directories, { path, depth });
    done.catch(() => {});
    if (directory.same !== undefined) this.begun.set(directory.same, { done });
    return { done };
  }

  private async file(entry: FileEntry | LinkEntry, path: string): Promise<TreeFile & { readonly size: number }> {
    const header = this.headerOf(entry);
    const size = entry.kind === "file" ? entry.size : 0;
    const open = entry.kind === "file" ? () => entry.open() : () => new Uint8Array();
    const checksum = await this.change
      .putFile(header, size, open)
      .catch((error: unknown) => named(error, `${path}${entry.name}`));
    if (entry.kind === "file") entry.done?.();
    return { name: entry.name, checksum, size };
  }

  private async finish(
    directory: DirectoryEntry,
    files: readonly Promise<TreeFile & { readonly size: number }>[],
    directories: readonly NamedDirectory[],
    { path, depth }: { readonly path: string; readonly depth: number },
  ): Promise<Done> {
    const below = directories.map(async ({ name, done }) => ({ ...(await done), name }));
    const [fileList, directoryList] = await Promise.all([Promise.all(files), Promise.all(below)]);
    const count = { files: fileList.length, bytes: 0, height: 0 };
    for (const { size } of fileList) count.bytes += size;
    for (const each of directoryList) {
      count.files += each.files;
      count.bytes += each.bytes;
      count.height = Math.max(count.height, each.height + 1);
    }
    // One that was met before may lie deeper here.
    if (depth + count.height > maxDepth) throw tooDeep(path);
    if (!Number.isSafeInteger(count.files) || !Number.isSafeInteger(count.bytes)) {
      throw new StillageError("invalid", `there are more files than can be counted in ${path.slice(0, 300)}`);
    }
    const bytes = encodeDirTree({ files: fileList, directories: directoryList });
    const [tree, meta] = await Promise.all([this.change.putMetadata("dirtree", bytes), this.metaOf(directory)]);
    return { tree, meta, ...count };
  }

  private headerOf(entry: FileEntry | LinkEntry): FileHeader {
    if (this.options.canonical) {
      return entry.kind === "file" ? canonicalFile(entry.mode) : canonicalLink(entry.target);
    }
    const { uid = 0, gid = 0, xattrs = [] } = entry;
    if (entry.kind === "symlink") return { uid, gid, mode: linkType | 0o777, symlink: entry.target, xattrs };
    return { uid, gid, mode: fileType | (entry.mode & ~typeBits), symlink: "", xattrs };
  }

  /** Few differ: each is written once. */
  private metaOf({ mode, uid = 0, gid = 0, xattrs = [] }: DirectoryEntry): Promise<Checksum> {
    const real: DirMeta = { uid, gid, mode: directoryType | (mode & ~typeBits), xattrs };
    const bytes = encodeDirMeta(this.options.canonical ? canonicalDirectory(mode) : real);
    const key = Buffer.from(bytes).toString("latin1");
    const made = this.metas.get(key) ?? this.change.putMetadata("dirmeta", bytes);
    this.metas.set(key, made);
    return made;
  }
}

function tooDeep(path: string): StillageError {
  return new StillageError("invalid", `directories lie in each other deeper than ${maxDepth}: ${path.slice(0, 300)}`);
}

/** Says where in the tree something failed. */
function named(error: unknown, name: string): never {
  if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
  throw new StillageError("invalid", `${name}: ${error.message}`, { cause: error.cause });
}
