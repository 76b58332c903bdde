import { setTimeout as delay } from "node:timers/promises";

/** What `work` comes to, or `late` where that takes longer than so many milliseconds; the work itself goes on. Errors: those of `work`. */
export async function inTime<T, L>(work: Promise<T>, milliseconds: number, late: L): Promise<T | L> {
  const timer = new AbortController();
  const over = delay(milliseconds, late, { signal: timer.signal }).catch(() => late);
  try {
    return await Promise.race([work, over]);
  } finally {
    timer.abort();
  }
}
