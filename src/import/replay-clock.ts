import type { Clock } from "../base/clock.ts";

/**
 * The time as it was when the old server used what is being taken: the store and the names in it are told that one, so that what was used
 * last is still the last to go.
 */
export class ReplayClock {
  /** The time as it is. */
  readonly now: Clock;
  private time: number;

  constructor(now: Clock) {
    this.now = now;
    this.time = now();
  }

  /** Milliseconds since 1970; a file's time may be anything, and becomes one that has been. */
  set(time: number): void {
    this.time = Math.floor(Math.min(Math.max(time, 0), this.now()));
  }

  readonly read: Clock = () => this.time;
}
