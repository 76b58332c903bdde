/** Runs `work` whenever asked, one run at a time: whoever asks during a run shares the next one with all others who do. */
export class SharedRun {
  private readonly work: () => Promise<void>;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.work = work;
  }

  /** Resolves when a run that began after this call has ended. */
  ask(): Promise<void> {
    if (this.running === undefined) return this.start();
    this.next ??= this.running.then(
      () => this.startNext(),
      () => this.startNext(),
    );
    return this.next;
  }

  private startNext(): Promise<void> {
    this.next = undefined;
    return this.start();
  }

  private start(): Promise<void> {
    const run = this.work().finally(() => {
      if (this.next === undefined) this.running = undefined; // else the next one follows at once
    });
    this.running = run;
    return run;
  }
}
