/** Slower would gain nothing: four pieces every second are noticed by nobody, and a small store is done in a while. */
const minRate = 1 << 20;

/** The part of the time in which a round is to be done: some is left for what grows meanwhile, and for pauses. */
const share = 0.9;

/** Work that is behind by more than this is not caught up with: a pause of the machine must not end in a rush. */
const maxDebtMs = 1000;

export interface PaceClock {
  /** Milliseconds on a clock that only goes forward. */
  now(): number;
  wait(ms: number): Promise<void>;
}

/** The rate, in bytes a second, at which what is left of a round is done in what is left of its time. */
export function scrubRate(bytesLeft: number, msLeft: number, maxRate: number): number {
  const needed = msLeft <= 0 ? maxRate : (bytesLeft / msLeft / share) * 1000;
  return Math.min(maxRate, Math.max(minRate, needed));
}

/** Lets so many bytes pass in a second. */
export class ScrubPace {
  private readonly clock: PaceClock;
  private next = 0;

  constructor(clock: PaceClock) {
    this.clock = clock;
  }

  /** Resolves when the next `bytes` may be read at `rate` bytes a second. */
  async spend(bytes: number, rate: number): Promise<void> {
    const now = this.clock.now();
    const turn = Math.max(this.next, now - maxDebtMs);
    this.next = turn + (bytes / rate) * 1000;
    if (turn > now) await this.clock.wait(turn - now);
  }
}
