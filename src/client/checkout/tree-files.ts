import {
  closeSync,
  constants,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { setImmediate as breath } from "node:timers/promises";
import { BoundedJobs } from "../../base/bounded-jobs.ts";
import type { Digest } from "../../base/digest.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { maxSmallBytes } from "../blob-place.ts";
import type { FileContents, FileEntry } from "../reading/file-contents.ts";
import { treePaths } from "../reading/tree-paths.ts";
import type { WholeTree } from "../reading/whole-tree.ts";

/** How the files of a tree are written. */
export interface FillOptions {
  readonly signal: AbortSignal;
  /** Called as files are written, with those since the last call. */
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  /** Where the object of a file lies, to be linked to in place of a copy. */
  readonly objectPath?: ((digest: Digest) => string | undefined) | undefined;
}

/** Files that are asked for at once, and their bytes; several such groups are under way at a time. */
const groupFiles = 1000;
const groupBytes = 4 << 20;
const groupsAtOnce = 4;
const heldBytes = groupsAtOnce * groupBytes;

/** Entries without content that are made before others have their turn. */
const madeInOneTurn = 2000;

/** Nothing that is there already, and no link, is written to. */
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

interface PlacedFile {
  /** Where it is written. */
  readonly at: string;
  /** From the root of the tree, as messages have it. */
  readonly path: string;
  readonly entry: FileEntry;
}

/**
 * Writes a tree into `directory`, which is empty and nobody else's. Each directory is made before what is in it, and nothing is written to what was not made here: a tree
 * cannot reach outside by its links. Modes are those of `bst artifact checkout`: all that the umask lets, executable or not. Errors: those of the contents; `exhausted` for a
 * full disk; `failed-precondition` where links to objects cannot be made.
 */
export async function fillDirectory(
  directory: string,
  tree: WholeTree,
  files: FileContents,
  options: FillOptions,
): Promise<void> {
  const { signal } = options;
  const jobs = new BoundedJobs(heldBytes, groupsAtOnce);
  const times: [path: string, seconds: number][] = [];
  let group: PlacedFile[] = [];
  let bytes = 0;
  let made = 0;
  const noteTime = (path: string, digest: Digest): void => {
    const { modified } = tree.directory(digest);
    if (modified !== undefined) times.push([path, modified]);
  };
  const send = async (): Promise<void> => {
    const sent = group;
    if (sent.length > 0) await jobs.add(bytes, () => writeGroup(sent, files, options));
    [group, bytes] = [[], 0];
  };
  noteTime(directory, tree.root);
  try {
    for (const { path, entry } of treePaths(tree)) {
      const at = `${directory}/${path}`;
      if (entry.type === "directory") {
        make(path, () => mkdirSync(at));
        noteTime(at, entry.digest);
      } else if (entry.type === "symlink") make(path, () => symlinkSync(entry.target, at));
      else if (options.objectPath !== undefined && linkObject(at, path, entry, options.objectPath)) {
        options.onProgress?.(1, entry.size);
      } else if (entry.size > maxSmallBytes) {
        await jobs.add(maxSmallBytes, () => writeLarge({ at, path, entry }, files, options));
      } else {
        group.push({ at, path, entry });
        bytes += entry.size;
        if (group.length >= groupFiles || bytes >= groupBytes) await send();
      }
      if (++made % madeInOneTurn === 0) await breath();
      signal.throwIfAborted();
    }
    await send();
  } finally {
    await jobs.settled();
  }
  // Whatever is made in a directory changes its time.
  for (const [path, seconds] of times.reverse()) make(path, () => utimesSync(path, seconds, seconds));
}

async function writeGroup(
  group: readonly PlacedFile[],
  files: FileContents,
  { signal, onProgress }: FillOptions,
): Promise<void> {
  // One entry is at several paths where its directory is.
  const places = new Map<FileEntry, PlacedFile[]>();
  for (const place of group) {
    const others = places.get(place.entry);
    if (others === undefined) places.set(place.entry, [place]);
    else others.push(place);
  }
  const writeAll = (entry: FileEntry, bytes: Uint8Array): void => {
    for (const { at, path } of places.get(entry) ?? []) {
      make(path, () => writeSmall(at, entry, bytes));
      onProgress?.(1, bytes.length);
    }
  };
  const wanted: FileEntry[] = [];
  for (const entry of places.keys()) {
    if (entry.size === 0) writeAll(entry, new Uint8Array(0));
    else wanted.push(entry);
  }
  if (wanted.length > 0) await files.readMany(wanted, writeAll, signal);
}

function writeSmall(path: string, entry: FileEntry, bytes: Uint8Array): void {
  const file = openSync(path, newFile, modeOf(entry));
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    if (entry.modified !== undefined) futimesSync(file, entry.modified, entry.modified);
  } finally {
    closeSync(file);
  }
}

async function writeLarge(
  { at, path, entry }: PlacedFile,
  files: FileContents,
  { signal, onProgress }: FillOptions,
): Promise<void> {
  const failed = (error: unknown): never => {
    throw fromFileSystem(error, `writing ${path}`);
  };
  const file = await open(at, newFile, modeOf(entry)).catch(failed);
  try {
    for await (const piece of files.read(entry, signal)) {
      for (let done = 0; done < piece.length; ) {
        done += (await file.write(piece, done).catch(failed)).bytesWritten;
      }
      onProgress?.(0, piece.length);
    }
    if (entry.modified !== undefined) await file.utimes(entry.modified, entry.modified);
    onProgress?.(1, 0);
  } finally {
    await file.close();
  }
}

/** An object has one mode for all who link to it: a file with another mode, or a time of its own, is left to be copied, and the cache as it is. */
function linkObject(
  path: string,
  name: string,
  entry: FileEntry,
  objectPath: NonNullable<FillOptions["objectPath"]>,
): boolean {
  if (entry.size === 0 || entry.modified !== undefined) return false;
  const object = objectPath(entry.digest);
  if (object === undefined) throw notInCache(name);
  try {
    const executable = (statSync(object).mode & 0o100) !== 0;
    if (executable !== entry.executable) return false;
    linkSync(object, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw notInCache(name);
    const why = impossible[code ?? ""];
    if (why === undefined) throw fromFileSystem(error, `linking ${name}`);
    throw new StillageError("failed-precondition", `${name} cannot be a link to the cache: ${why}`, {
      hint: "check out without --hardlinks, or to where the cache is",
      cause: error,
    });
  }
}

function notInCache(name: string): StillageError {
  return new StillageError("not-found", `the content of ${JSON.stringify(name)} is not in the cache, to be linked to`, {
    hint: "pull the artifact first, or check out without --hardlinks",
  });
}

const impossible: Readonly<Record<string, string>> = {
  EXDEV: "it is on another file system",
  EPERM: "the file system or the owner of the object does not allow it",
  EMLINK: "the object has as many links as it can have",
};

const modeOf = ({ executable }: FileEntry): number => (executable ? 0o777 : 0o666);

function make(path: string, how: () => void): void {
  try {
    how();
  } catch (error) {
    throw fromFileSystem(error, `writing ${path}`);
  }
}
