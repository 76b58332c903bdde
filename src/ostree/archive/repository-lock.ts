import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { StillageError } from "../../base/errors.ts";
import { type FileLock, isBusy, lockFileAt } from "../../base/file-lock.ts";

/** How long until another look at a lock that somebody has. */
const lookMs = 50;

/**
 * Makes us the only writer of a repository. It is the file that OSTree itself locks, for the whole of which its own locks are asked for: no
 * `ostree commit` or `ostree prune` is at work while we are, and the other way round.
 * `patienceMs`: how long to wait for another writer; below zero, for ever. Errors: `unavailable` when that has passed, the signal's reason.
 */
export async function lockRepository(directory: string, patienceMs: number, signal?: AbortSignal): Promise<FileLock> {
  const until = performance.now() + patienceMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return lockFileAt(join(directory, ".lock"));
    } catch (error) {
      if (!isBusy(error)) throw cannotLock(directory, error);
      if (patienceMs >= 0 && performance.now() + lookMs > until) {
        throw new StillageError("unavailable", `another process is writing to the repository ${directory}`, {
          cause: error,
          hint: "try again when it is done",
        });
      }
    }
    await setTimeout(lookMs);
  }
}

function cannotLock(directory: string, cause: unknown): StillageError {
  return new StillageError("failed-precondition", `the repository ${directory} cannot be locked for writing`, {
    cause,
    hint: "its directory and the file .lock in it have to be writable",
  });
}
