import type { Log } from "../../base/log.ts";

/** How far behind the recorded last use may be. Expiry thinks in hours. */
export const useFlushMs = 5000;

/** Uses that are kept before they are written at once: some 3 MB. */
export const maxPendingUses = 50_000;

/** Remembers when refs were used and writes that now and then, all together. */
export class LastUse {
  private pending = new Map<number, number>();
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
    this.pending.set(id, time);
    if (this.pending.size >= maxPendingUses) void this.flush();
  }

  /** Whether a use of it waits to be written. */
  has(id: number): boolean {
    return this.pending.has(id);
  }

  /** Never rejects: a use that is not recorded makes an entry look older than it is, no more. */
  async flush(): Promise<void> {
    if (this.pending.size === 0) return;
    const used = this.pending;
    this.pending = new Map();
    try {
      await this.write(used);
    } catch (error) {
      this.log.warn({ error, refs: used.size }, "the last use of refs was not recorded");
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }
}
