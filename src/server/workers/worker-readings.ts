import { addedUp, type Reading } from "../metrics/meters.ts";

/** A worker, as far as it is asked for its metrics. */
export interface ToldWorker {
  /** What it tells now; where it does not answer, what it last told. */
  metrics(): Promise<readonly Reading[]>;
  /** Whether it has not answered the last question. */
  readonly silent: boolean;
}

/** The metrics of workers, each of which may end while it is asked. */
export class WorkerReadings {
  /** Workers that did not answer the last time. */
  silent = 0;
  /** What workers that have ended had counted. */
  private departed: readonly Reading[] = [];

  async of(workers: readonly ToldWorker[]): Promise<(readonly Reading[])[]> {
    const { departed } = this; // before they are asked: one that ends meanwhile is among those asked
    const told = await Promise.all(workers.map((worker) => worker.metrics()));
    this.silent = workers.filter(({ silent }) => silent).length;
    return [departed, ...told];
  }

  /** Counters stay what they were when a worker has gone; gauges of it are nothing. */
  hasEnded(last: readonly Reading[]): void {
    this.departed = addedUp([this.departed, last.filter(({ type }) => type !== "gauge")]);
  }
}
