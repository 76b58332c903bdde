/** A read from the page cache takes microseconds; one that takes longer than this waited for a disk. */
const slowMs = 2;

/** For so long after a slow read the next ones are left to the thread pool. */
const pauseMs = 100;

/**
 * Whether to read at once or by the thread pool. What lies in the page cache is read faster than a thread is told of it; but a disk
 * must not hold up everybody else. So reads are made at once until one was slow, and by the pool for a while after that.
 */
export class ReadPace {
  private readonly milliseconds: () => number;
  private slowUntil = Number.NEGATIVE_INFINITY;

  /** `milliseconds`: a clock that only goes forward. */
  constructor(milliseconds: () => number) {
    this.milliseconds = milliseconds;
  }

  get atOnce(): boolean {
    return this.milliseconds() >= this.slowUntil;
  }

  /** Runs a read at once and learns from the time it takes. */
  measure<T>(read: () => T): T {
    const start = this.milliseconds();
    const result = read();
    const end = this.milliseconds();
    if (end - start > slowMs) this.slowUntil = end + pauseMs;
    return result;
  }
}
