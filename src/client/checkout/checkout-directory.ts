import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import type { FileContents } from "../reading/file-contents.ts";
import type { WholeTree } from "../reading/whole-tree.ts";
import { mergeDirectory } from "./merge-directory.ts";
import { type FillOptions, fillDirectory } from "./tree-files.ts";

export interface DirectoryOptions extends FillOptions {
  /** What is in the directory already stays, but for what has a name that the tree has. */
  readonly force: boolean;
}

/**
 * Writes a tree to a directory that is empty or not there. It is put together beside it, or in it where it is there, under a name that begins with `.` and has `.stillage-` in it,
 * in a directory that nobody else can enter.
 *
 * A crash leaves such a directory, which can be removed, and nothing under the final name; only while a directory that was there before gets what is in it, which are renames
 * alone, some of it may be there and the rest not. Whatever else ends it takes the directory away. Errors: those of `fillDirectory`; `exists` for a directory that is not empty.
 */
export async function checkoutDirectory(
  target: string,
  tree: WholeTree,
  files: FileContents,
  options: DirectoryOptions,
): Promise<void> {
  const path = resolve(target);
  const there = isThere(path, options.force);
  const work = workDirectory(path, there);
  try {
    // By its descriptor: whoever may rename it cannot put another one in its place.
    const root = `/proc/self/fd/${work.descriptor}/tree`;
    mkdirSync(root);
    await fillDirectory(root, tree, files, options);
    options.signal.throwIfAborted();
    if (there) mergeDirectory(root, path);
    else publish(root, path);
  } finally {
    removeWork(work);
  }
}

/** Whether there is a directory to write to. Errors: `exists`. */
function isThere(path: string, force: boolean): boolean {
  try {
    if (!statSync(path).isDirectory()) {
      throw new StillageError("exists", `${path} is there, and is no directory`, { hint: "name another one" });
    }
    if (force || readdirSync(path).length === 0) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fromFileSystem(error, `looking into ${path}`);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    throw new StillageError("exists", `${path} is a link that leads nowhere`, { hint: "name another directory" });
  }
  throw new StillageError("exists", `the directory ${path} is not empty`, {
    hint: "--force writes to it all the same, and replaces what is in the way",
  });
}

const notAllowed = new Set(["EACCES", "EPERM", "EROFS"]);

/** A directory of ours that nobody else can enter, held open. */
interface WorkDirectory {
  readonly path: string;
  readonly descriptor: number;
}

function workDirectory(path: string, there: boolean): WorkDirectory {
  try {
    if (!there) makeFolderSync(dirname(path));
    const beginning = there
      ? join(path, ".stillage-")
      : `${join(dirname(path), `.${basename(path).slice(0, 200)}`)}.stillage-`;
    const made = mkdtempSync(beginning);
    const descriptor = openSync(made, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const { uid, mode } = fstatSync(descriptor);
    if (uid === process.geteuid?.() && (mode & 0o077) === 0) return { path: made, descriptor };
    closeSync(descriptor);
  } catch (error) {
    if (!notAllowed.has((error as NodeJS.ErrnoException).code ?? "")) throw fromFileSystem(error, `making ${path}`);
    throw new StillageError("forbidden", `${there ? path : dirname(path)} takes no new directory: permission denied`, {
      hint: "check out to a directory where you may write",
      cause: error,
    });
  }
  throw new StillageError("forbidden", `somebody else changes what is in the directory of ${path}`, {
    hint: "check out to a directory that only you can write to",
  });
}

function removeWork({ path, descriptor }: WorkDirectory): void {
  try {
    rmSync(`/proc/self/fd/${descriptor}/tree`, { recursive: true, force: true, maxRetries: 3 });
    rmdirSync(path);
  } catch {
    // What cannot be removed is left, as after a crash.
  } finally {
    closeSync(descriptor);
  }
}

function publish(root: string, path: string): void {
  try {
    renameSync(root, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw fromFileSystem(error, `making ${path}`);
    throw new StillageError("exists", `${path} has come to be meanwhile`, { hint: "name another directory" });
  }
}
