import { setImmediate } from "node:timers/promises";
import type { PipelineTime } from "./pipeline.ts";

interface Waiting {
  readonly until: number;
  readonly resolve: () => void;
}

/** Time that passes only when nobody has anything else to do. */
export class VirtualTime implements PipelineTime {
  private time = 0;
  private waiting: Waiting[] = [];

  now(): number {
    return this.time;
  }

  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const entry = { until: this.time + milliseconds, resolve };
      this.waiting.push(entry);
      signal.addEventListener("abort", () => {
        this.waiting = this.waiting.filter((each) => each !== entry);
        reject(signal.reason);
      });
    });
  }

  /** Lets time pass until the work is done. Errors: where nothing is left that it could wait for. */
  async pass<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    ended.catch(() => {});
    for (;;) {
      await setImmediate();
      if (done) return ended;
      const next = this.waiting.reduce((a, b) => (b.until < a.until ? b : a), this.waiting[0] as Waiting);
      if (next === undefined) throw new Error("it waits for nothing");
      this.waiting = this.waiting.filter((each) => each !== next);
      this.time = next.until;
      next.resolve();
    }
  }
}
