import { setTimeout as delay } from "node:timers/promises";

/** The longest time that is made up for, in milliseconds: who was held up for longer does not hurry the more after it. */
const maxDebtMs = 100;

/** What a timer takes. */
const maxTimerMs = 2 ** 31 - 1;

/** Keeps what is copied below a number of bytes a second. */
export class Pace {
  private readonly bytesPerMs: number;
  private readonly now: () => number;
  private readonly signal: AbortSignal;
  private due: number;

  /** `bytesPerSecond`: infinite for as fast as it goes. `now` in milliseconds. */
  constructor(bytesPerSecond: number, signal: AbortSignal, now: () => number = () => performance.now()) {
    this.bytesPerMs = bytesPerSecond / 1000;
    this.signal = signal;
    this.now = now;
    this.due = now();
  }

  /** Waits until so many bytes more may be copied. Errors: the signal's reason. */
  async take(bytes: number): Promise<void> {
    this.signal.throwIfAborted();
    const wait = this.waitFor(bytes);
    if (wait < 1) return;
    await delay(Math.min(wait, maxTimerMs), undefined, { signal: this.signal }).catch(() =>
      this.signal.throwIfAborted(),
    );
  }

  /** How long to wait before so many bytes, in milliseconds, if they are copied after that. */
  waitFor(bytes: number): number {
    const now = this.now();
    const begin = Math.max(this.due, now - maxDebtMs);
    this.due = begin + bytes / this.bytesPerMs;
    return Math.max(0, begin - now);
  }
}
