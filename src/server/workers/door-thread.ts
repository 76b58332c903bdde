import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { ThreadLine } from "../../base/thread-line.ts";
import { startWorker } from "../../base/worker.ts";
import type { Reading } from "../metrics/meters.ts";
import type { Rooms } from "../rooms.ts";
import type { StoreSide } from "../store-side.ts";
import { type WholeServer, WorkerDesk } from "./worker-desk.ts";
import type { DoorAnswers, WorkerStart } from "./worker-start.ts";

/** How long a worker may take to tell its metrics: one that is that busy is left out. */
const metricsMs = 2000;

/** How long it may take beyond the grace time to close what it has. */
const lateMs = 10_000;

/** One worker, seen from the thread of the store. */
export class DoorThread {
  readonly line: ThreadLine<DoorAnswers>;
  /** Resolves once it has ended and all that it held is free, with the error that ended it, if any. */
  readonly ended: Promise<Error | undefined>;
  /** What it last told of itself. */
  lastMetrics: readonly Reading[] = [];
  private readonly worker: Worker;
  private readonly desk: WorkerDesk;

  constructor(
    start: WorkerStart,
    store: StoreSide,
    parts: { readonly rooms: Rooms; readonly whole: WholeServer; readonly log: Log },
  ) {
    this.worker = startWorker("./door.worker.ts", import.meta.url, { workerData: start });
    this.desk = new WorkerDesk(store, parts, (number) => this.line.ask("recallUpload", number));
    this.line = new ThreadLine<DoorAnswers>(this.worker, this.desk.answers());
    this.ended = this.end();
  }

  /** Open blobs, batches and uploads that it has. */
  get held(): number {
    return this.desk.held;
  }

  async metrics(): Promise<readonly Reading[]> {
    const timer = new AbortController();
    const late = delay(metricsMs, this.lastMetrics, { signal: timer.signal }).catch(() => this.lastMetrics);
    const told = this.line.ask("doorMetrics").catch(() => this.lastMetrics);
    this.lastMetrics = await Promise.race([told, late]);
    timer.abort();
    return this.lastMetrics;
  }

  /** Lets it close its doors, and ends it. */
  async close(graceMs: number): Promise<void> {
    const timer = new AbortController();
    const late = delay(graceMs + lateMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([this.line.ask("close", graceMs).catch(() => {}), late]);
    timer.abort();
    await this.terminate();
  }

  /** Ends it at once. */
  async terminate(): Promise<void> {
    await this.worker.terminate();
    await this.ended;
  }

  private async end(): Promise<Error | undefined> {
    let failure: Error | undefined;
    this.worker.on("error", (error: Error) => {
      failure = error;
    });
    // By now all of its writes and reads are over: Node waits for those.
    await new Promise((resolve) => this.worker.once("exit", resolve));
    const why = failure === undefined ? "" : `: ${failure.message}`;
    this.line.close(
      new StillageError("unavailable", `the worker has ended${why}`, { cause: failure, retryAfterMs: 1000 }),
    );
    await this.desk.close();
    return failure;
  }
}
