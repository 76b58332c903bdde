import type { Log } from "../../base/log.ts";

/** How far behind the recorded last use may be. Expiry thinks in hours. */
export const useFlushMs = 5000;

/** Uses that are kept before they are written at once: some 3 MB. */
export const maxPendingUses = 50_000;

/** Uses that are kept where they cannot be written: the others are forgotten. */
export const maxKeptUses = 4 * maxPendingUses;

/** Remembers when refs were used and writes that now and then, all together. */
export class LastUse {
  private pending = new Map<number, number>();
  /** Those that are being written. */
  private underWay: ReadonlyMap<number, number> = new Map();
  private flushing: Promise<void> | undefined;
  /** Whether writing failed last: then only the timer tries again. */
  private failing = false;
  private readonly write: (used: ReadonlyMap<number, number>) => Promise<unknown>;
  private readonly log: Log;
  private readonly timer: NodeJS.Timeout;

  constructor(write: (used: ReadonlyMap<number, number>) => Promise<unknown>, log: Log) {
    this.write = write;
    this.log = log;
    this.timer = setInterval(() => void this.flush(), useFlushMs);
    this.timer.unref();
  }

  note(id: number, time: number): void {
    if (this.pending.size < maxKeptUses || this.pending.has(id)) this.pending.set(id, time);
    if (this.pending.size >= maxPendingUses && this.flushing === undefined && !this.failing) void this.flush();
  }

  /** Whether a use of it is not written yet. */
  has(id: number): boolean {
    return this.pending.has(id) || this.underWay.has(id);
  }

  /** Writes what was noted until now. Never rejects: what cannot be written waits for the next time. */
  async flush(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
    if (this.pending.size === 0) return;
    this.flushing = this.writePending();
    await this.flushing;
    this.flushing = undefined;
  }

  /** Never rejects. */
  private async writePending(): Promise<void> {
    const used = this.pending;
    this.underWay = used;
    this.pending = new Map();
    try {
      await this.write(used);
      this.failing = false;
    } catch (error) {
      this.failing = true;
      this.putBack(used);
      this.log.warn({ error, refs: used.size }, "the last use of refs could not be recorded, which is tried again");
    } finally {
      this.underWay = new Map();
    }
  }

  /** What was noted since is newer. */
  private putBack(used: ReadonlyMap<number, number>): void {
    for (const [id, time] of used) {
      if (this.pending.size >= maxKeptUses) return;
      if (!this.pending.has(id)) this.pending.set(id, time);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }
}
