/** Long enough that pauses cost little, and short enough that nobody waits noticeably behind it. */
const sliceMs = 1;

/** Divides long work in the event loop into slices of about a millisecond, between which everybody else has a turn. */
export class Slices {
  private ends = performance.now() + sliceMs;

  /** Whether it is time to `rest`: to be asked before each small piece of work. */
  get over(): boolean {
    return performance.now() >= this.ends;
  }

  /** Lets others go first, then begins the next slice. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.ends = performance.now() + sliceMs;
  }
}
