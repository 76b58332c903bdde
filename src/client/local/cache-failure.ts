import { fromFileSystem, StillageError } from "../../base/errors.ts";

const notAllowed = new Set(["EACCES", "EPERM", "EROFS"]);

/** Whether an error of the file system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Translates an error of the file system: `what` says what was being done, to what. Errors that come of it: `forbidden`, `exhausted`, `internal`. */
export function cacheFailure(error: unknown, what: string): StillageError {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (error instanceof StillageError || !notAllowed.has(code)) return fromFileSystem(error, what);
  const hint =
    code === "EROFS"
      ? "its file system is read-only: name another directory for the cache"
      : "it belongs to another user: run as that one, or name another directory for the cache";
  return new StillageError("forbidden", `${what}: ${code}`, { hint, cause: error });
}

/** Errors: `cancelled`. */
export function checkSignal(signal: AbortSignal): void {
  if (signal.aborted) throw new StillageError("cancelled", "it was stopped", { cause: signal.reason });
}
