/**
 * The bounds between which calls are told apart by the time they took, in seconds. Few: each is a series for each method. Small reads and look-ups end in the
 * first two, what waits for a disk in the next two; what is beyond the last is a transfer of a large blob, or something is wrong.
 */
export const latencyBounds: readonly number[] = [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5, 30];

const boundsMs = Float64Array.from(latencyBounds, (seconds) => seconds * 1000);

/** How long calls took. */
export class Latency {
  /** By the first bound that a call is not beyond, and behind them those beyond all. */
  readonly counts: Float64Array = new Float64Array(latencyBounds.length + 1);
  private milliseconds = 0;

  add(milliseconds: number): void {
    const { counts } = this;
    let at = 0;
    while (at < boundsMs.length && milliseconds > (boundsMs[at] as number)) at++;
    counts[at] = (counts[at] as number) + 1;
    this.milliseconds += milliseconds;
  }

  /** In seconds. */
  get sum(): number {
    return this.milliseconds / 1000;
  }
}
