import { closeSync, constants, type Dirent, lstatSync, openSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";

const directoryOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Moves all that is in `from`, which is nobody else's, into `to`, on the same file system. Directories of both become one; files and links are replaced, and a link where a directory is to be.
 * No link below `to` is followed, whoever changes it meanwhile: each directory is held open, and names are looked up in just that. Errors: `exists`, before anything is
 * moved, where a directory is in the way of a file.
 */
export function mergeDirectory(from: string, to: string): void {
  const opened = openSync(to, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    merge(from, opened, "", false);
    merge(from, opened, "", true);
  } catch (error) {
    throw fromFileSystem(error, `writing to ${to}`);
  } finally {
    closeSync(opened);
  }
}

/** `path` is what messages call the directory that is open as `to`. */
function merge(from: string, to: number, path: string, moving: boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), `/proc/self/fd/${to}/${entry.name}`];
    const there = lstatSync(target, { throwIfNoEntry: false });
    if (entry.isDirectory() && there?.isDirectory()) {
      const inner = openSync(target, directoryOnly);
      try {
        merge(source, inner, `${path}${entry.name}/`, moving);
      } finally {
        closeSync(inner);
      }
    } else if (there?.isDirectory()) {
      throw new StillageError("exists", `${path}${entry.name} is a directory, and ${kindOf(entry)} in the artifact`, {
        hint: "remove it, or check out elsewhere",
      });
    } else if (moving) {
      // A directory cannot be renamed onto what is none.
      if (there !== undefined && entry.isDirectory()) unlinkSync(target);
      renameSync(source, target);
    }
  }
}

const kindOf = (entry: Dirent): string => (entry.isSymbolicLink() ? "a link" : "a file");
