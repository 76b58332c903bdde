import { setTimeout as delay } from "node:timers/promises";

/** Lets no more than `bytesPerSecond` through over time: whoever comes early waits. */
export function pacer(bytesPerSecond: number): (bytes: number) => Promise<void> {
  let free = performance.now();
  return async (bytes) => {
    const now = performance.now();
    const from = Math.max(free, now);
    free = from + (bytes / bytesPerSecond) * 1000;
    if (from > now) await delay(from - now);
  };
}
