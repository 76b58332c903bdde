/** Lets a number of jobs run at the same time. Whoever has many more waits for a lane before it begins the next: what waits is then in one place. */
export class Lanes {
  private readonly count: number;
  private free: number;
  private readonly waiting: (() => void)[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(count: number) {
    this.count = count;
    this.free = count;
  }

  /** Waits for a lane, and takes it: `run` is to follow. Errors: that of a job that failed; there is no point in beginning more. */
  async take(): Promise<void> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.failure === undefined) return;
    this.give();
    throw this.failure.error;
  }

  /** Runs a job in the lane that was taken. Its failure is for whoever waits for it, later perhaps. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const done = job()
      .catch((error: unknown) => {
        this.failure ??= { error }; // before the lane is given: whoever waits for it has to hear of this
        throw error;
      })
      .finally(() => this.give());
    done.catch(() => {});
    return done;
  }

  /** Waits until every job is over. Errors: that of the first that failed. */
  async drain(): Promise<void> {
    for (let lane = 0; lane < this.count; lane++) await this.take();
    this.free = this.count;
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free++;
    else next();
  }
}
