import { existsSync } from "node:fs";
import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { type FileLock, isBusy, isFileLocked, lockFileAt } from "../../base/file-lock.ts";

/** The file that is locked. It stays empty. */
export const lockFile = "lock";

/** Whether this is the error of a directory that another process has. */
export function isInUse(error: unknown): boolean {
  return error instanceof StillageError && isBusy(error.cause);
}

/** Whether a process has a directory, or is about to. Changes nothing, and keeps nobody from it for longer than a look takes. */
export function isLocked(directory: string): boolean {
  const file = join(directory, lockFile);
  return existsSync(file) && isFileLocked(file);
}

/**
 * Makes this process the only one that uses a directory, until `release` or its end, whatever that may be.
 * Errors: `failed-precondition` where another process has it.
 */
export function lockDirectory(directory: string): FileLock {
  try {
    return lockFileAt(join(directory, lockFile));
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new StillageError("failed-precondition", `another process is using the store in ${directory}`, {
      cause: error,
    });
  }
}
