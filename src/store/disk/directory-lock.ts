import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StillageError } from "../../base/errors.ts";

/** The file that is locked. It stays empty. */
export const lockFile = "lock";

/** SQLITE_BUSY. */
const busy = 5;

/** Whether this is the error of a directory that another process has. */
export function isInUse(error: unknown): boolean {
  return error instanceof StillageError && isBusy(error.cause);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as { errcode?: number }).errcode === busy;
}

/** Whether a process has a directory, or is about to. Changes nothing, and keeps nobody from it for longer than a look takes. */
export function isLocked(directory: string): boolean {
  const file = join(directory, lockFile);
  if (!existsSync(file)) return false;
  const lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    lock.prepare("SELECT 1 FROM sqlite_schema").get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    lock.close();
  }
}

/**
 * Makes this process the only one that uses a directory, until `release` or its end, whatever that may be. The lock is the operating
 * system's (SQLite's, on POSIX a byte-range lock): nothing stale can be left behind, and it holds across containers.
 * Errors: `failed-precondition` where another process has it.
 */
export function lockDirectory(directory: string): { release(): void } {
  const lock = new DatabaseSync(join(directory, lockFile), { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new StillageError("failed-precondition", `another process is using the store in ${directory}`, {
      cause: error,
    });
  }
  return { release: () => lock.close() };
}
