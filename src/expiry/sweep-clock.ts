import type { Clock } from "../base/clock.ts";
import { clockSlackMs } from "../store/noted-ahead.ts";

/** A change of the clock that is worth a note; less is the drift of a cheap one. */
const stepMs = 5000;

/** Changes that are remembered. No clock is set so often. */
const maxSteps = 1000;

/** What a sweep takes for the time. All in milliseconds since 1970. */
export interface SweepTime {
  readonly now: number;
  /** What was used at this time or later is leased. */
  readonly leaseStart: number;
  /** From when ages count. */
  readonly ageNow: number;
  /** Uses noted as later than this were noted by a clock that went ahead. */
  readonly horizon: number;
  /** Since when that is known: the last of those uses counts as one at this time, the others as so much earlier as they say. */
  readonly noticed: number;
}

export interface SweepClockOptions {
  readonly wall: Clock;
  /** Milliseconds by a clock that only goes forward, and with the time. */
  readonly monotonic: () => number;
  readonly leaseMs: number;
}

/** From `since` on, by the monotonic clock, the other one showed so much more. */
interface Step {
  readonly since: number;
  readonly ahead: number;
}

/**
 * The time for sweeps, which must not believe every clock (docs/EXPIRY.md, "The clock"). The lease is measured by a monotonic clock: it begins where the
 * other one was then. So is the time by which things age: no clock that is set forward makes them older, and the time that the server
 * was down does not count. Has to look at the clocks now and then: `observe`.
 */
export class SweepClock {
  private readonly options: SweepClockOptions;
  /** The first is for all that was before. */
  private steps: Step[];
  private readonly began: number;
  private readonly started: number;
  private lastUse: number | undefined;
  private noticed: number;
  private observed: number;

  constructor(options: SweepClockOptions) {
    this.options = options;
    this.began = options.monotonic();
    this.started = options.wall();
    this.noticed = this.started;
    this.observed = this.began;
    const ahead = this.started - this.began;
    this.steps = [
      { since: Number.NEGATIVE_INFINITY, ahead },
      { since: this.began, ahead },
    ];
  }

  /** Uses until this time were noted by whoever had the store before. */
  get before(): number {
    return this.started;
  }

  /**
   * Says when the store was used last before this process had it: then its time stood still. Heard once; `undefined` where it was not. `unsaved`: how much
   * earlier uses may have been noted than they were; leases from before are longer by that.
   */
  resume(lastUse: number | undefined, unsaved = 0): void {
    if (this.lastUse !== undefined) return;
    this.lastUse = Math.min(lastUse ?? this.started, this.started);
    const [first, ...rest] = this.steps as [Step, ...Step[]];
    // The clock was set back since: what was before is moved, and with it this.
    if (first.since !== Number.NEGATIVE_INFINITY) return;
    this.steps = [{ since: first.since, ahead: this.lastUse - unsaved - this.began }, ...rest];
  }

  /** Looks whether the clock was set. */
  observe(): void {
    const { wall, monotonic } = this.options;
    const at = monotonic();
    const ahead = wall() - at;
    const step = ahead - (this.steps.at(-1) as Step).ahead;
    if (step < -clockSlackMs) {
      // What was noted until now lies in the future, and is moved by `horizon` and `noticed`: this is the only time there is.
      this.noticed = at + ahead;
      this.steps = [{ since: this.observed, ahead }];
    } else if (Math.abs(step) >= stepMs) {
      // Set back, it may have been so since the last look; set forward, not before it is seen to be so: leases are rather too long.
      this.steps.push({ since: step < 0 ? this.observed : at, ahead });
      if (this.steps.length > maxSteps) this.steps.shift();
    }
    this.observed = at;
  }

  read(): SweepTime {
    this.observe();
    const { monotonic, wall, leaseMs } = this.options;
    const at = monotonic();
    const now = wall();
    const elapsed = at - this.began;
    return {
      now,
      leaseStart: Math.min(now - leaseMs, this.earliest(at - leaseMs)),
      ageNow: Math.min(now, (this.lastUse ?? this.started) + elapsed),
      horizon: now + clockSlackMs,
      noticed: Math.min(this.noticed, now),
    };
  }

  /** The earliest that the clock showed from then on. */
  private earliest(from: number): number {
    const { steps } = this;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [i, { since, ahead }] of steps.entries()) {
      const until = steps[i + 1]?.since ?? Number.POSITIVE_INFINITY;
      if (until > from) earliest = Math.min(earliest, Math.max(since, from) + ahead);
    }
    return earliest;
  }
}
