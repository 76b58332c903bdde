/** Jobs that run beside one another, as many as their number and the bytes that they hold allow. The first that fails is told to whoever adds the next one. */
export class BoundedJobs {
  private readonly maxBytes: number;
  private readonly maxCount: number;
  private readonly running = new Set<Promise<void>>();
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(maxBytes: number, maxCount: number) {
    this.maxBytes = maxBytes;
    this.maxCount = maxCount;
  }

  /** Begins a job that holds so many bytes, once there is room for it; one that holds more than all may have runs alone. Errors: those of jobs before it. */
  async add(bytes: number, job: () => Promise<void>): Promise<void> {
    while (this.bytes + bytes > this.maxBytes || this.running.size >= this.maxCount) {
      if (this.running.size === 0) break;
      await Promise.race(this.running);
    }
    this.throwFailure();
    this.bytes += bytes;
    const running = job()
      .catch((error) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.running.delete(running);
        this.bytes -= bytes;
      });
    this.running.add(running);
  }

  /** Resolves once all have ended. Errors: those of the first that failed. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
    this.throwFailure();
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
