import type { SweepTime } from "./sweep-clock.ts";

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));

/** Times of uses as a sweep understands them: in seconds since 1970, those of a clock that went ahead moved to where they belong. */
export class Stamps {
  /** What was used at this time or later is leased. */
  readonly leaseStart: number;
  readonly ageNow: number;
  private readonly horizon: number;
  private readonly moved: number;

  /** `latest`: the latest use that is noted; `resolution`: how much later the true one may be. */
  constructor(time: SweepTime, latest: number, resolution: number) {
    this.leaseStart = Math.max(0, seconds(time.leaseStart) - resolution);
    this.ageNow = seconds(time.ageNow);
    this.horizon = seconds(time.horizon);
    this.moved = latest - seconds(time.noticed);
  }

  /** The time of a use that was noted as one at `noted`, in seconds since 1970. */
  of(noted: number): number {
    return noted > this.horizon ? Math.max(0, noted - this.moved) : noted;
  }

  /** Whether what was used at a time noted as `noted` is leased. */
  leased(noted: number): boolean {
    return this.of(noted) >= this.leaseStart;
  }

  /** Whether a clock that went ahead noted this. */
  ahead(noted: number): boolean {
    return noted > this.horizon;
  }
}
