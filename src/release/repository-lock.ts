import { setTimeout as pause } from "node:timers/promises";
import { StillageError } from "../base/errors.ts";
import { isInUse, lockDirectory } from "../store/disk/directory-lock.ts";
import type { ReleaseRepository } from "./release-repository.ts";

/** How long whoever publishes waits for another who does, unless told otherwise. */
const patienceMs = 60_000;
const lookEveryMs = 100;

/**
 * Makes this process the only one that writes to a repository, until it is disposed of or the process ends, however that may be. Errors:
 * `unavailable` where another process still writes to it after a minute; `cancelled`.
 */
export async function lockRepository(
  { name, layout }: Pick<ReleaseRepository, "name" | "layout">,
  { signal, waitMs = patienceMs }: { readonly signal?: AbortSignal | undefined; readonly waitMs?: number } = {},
): Promise<Disposable> {
  const until = performance.now() + waitMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const lock = lockDirectory(layout.directory);
      return { [Symbol.dispose]: () => lock.release() };
    } catch (error) {
      if (!isInUse(error)) throw error;
      if (performance.now() >= until) {
        throw new StillageError("unavailable", `another process is writing to the release repository ${name}`, {
          hint: "try again when it has ended",
          cause: error,
        });
      }
    }
    await pause(lookEveryMs, undefined, { signal }).catch(() => {}); // the loop looks at the signal
  }
}
