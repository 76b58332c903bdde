import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, isBusy, lockFileAt } from "../../base/file-lock.ts";

/** What the name of a staging directory's lock has behind that of the directory: both are in `tmp`. Directories of changes that have the repository's lock have none. */
const suffix = ".lock";

/**
 * Keeps others from removing a staging directory that is about to be made, until it is released or the process ends. `undefined` where the name is somebody else's.
 * A crash leaves an empty file, which the next change removes.
 */
export function lockStaging(repository: string, staging: string): FileLock | undefined {
  const path = join(repository, staging + suffix);
  const lock = tryLock(path);
  if (lock === undefined) return undefined;
  // Whoever removes what is left over may have taken the file away before we had it.
  if (existsSync(path)) return { release: () => release(path, lock) };
  lock.release();
  return undefined;
}

/** The same for a directory that somebody has left; `undefined` where its change is still at work. */
export function lockLeftStaging(repository: string, staging: string): FileLock | undefined {
  const path = join(repository, staging + suffix);
  if (!existsSync(path)) return { release: () => {} };
  const lock = tryLock(path);
  return lock && { release: () => release(path, lock) };
}

/** The names of staging directories among those in `tmp`, also of those of which only the lock is left. */
export function stagingNames(names: readonly string[], prefix: string): string[] {
  const ours = names.filter((name) => name.startsWith(prefix));
  return [...new Set(ours.map((name) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name)))];
}

function tryLock(path: string): FileLock | undefined {
  try {
    return lockFileAt(path);
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** The file goes first: who finds none needs no lock. */
function release(path: string, lock: FileLock): void {
  rmSync(path, { force: true });
  lock.release();
}
