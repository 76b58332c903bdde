import { DatabaseSync } from "node:sqlite";

/** SQLITE_BUSY. */
const busy = 5;

/** A lock that is held until it is released, or until its process ends, however that may be. */
export interface FileLock {
  release(): void;
}

/** Whether this is the error of a file that another has locked. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as { errcode?: number }).errcode === busy;
}

/** Whether a file is locked, or about to be. Changes nothing, and keeps nobody from it for longer than a look takes. */
export function isFileLocked(path: string): boolean {
  const file = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    file.prepare("SELECT 1 FROM sqlite_schema").get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    file.close();
  }
}

/**
 * Locks an empty file, which is made where it is not there, for this process and this caller alone. The lock is the operating system's (SQLite's, on POSIX a
 * byte-range lock for the process): nothing stale can be left behind, it holds across containers, and it excludes others' open-file-description locks
 * on the whole file. Nobody else in the process may open and close the file meanwhile: that would lose the lock.
 * Errors: SQLite's, of which `isBusy` knows the one that says that another has it.
 */
export function lockFileAt(path: string): FileLock {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw error;
  }
  return { release: () => lock.close() };
}
