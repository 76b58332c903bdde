import type { Worker } from "node:worker_threads";
import { StillageError } from "../../base/errors.ts";
import { inTime } from "../../base/in-time.ts";
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

/** How long it may take to read certificates and rights. */
const reloadMs = 5000;

/** How long it may take beyond the grace time to close what it has. */
const lateMs = 10_000;

/** One worker, seen from the thread of the store. */
export class DoorThread {
  readonly line: ThreadLine<DoorAnswers>;
  /** Resolves once it has ended and all that it held is free, with the error that ended it, if any. */
  readonly ended: Promise<Error | undefined>;
  /** What it last told of itself. */
  lastMetrics: readonly Reading[] = [];
  /** Whether it did not tell in time the last time that it was asked. */
  silent = false;
  private readonly number: number;
  private readonly worker: Worker;
  private readonly desk: WorkerDesk;

  constructor(
    start: WorkerStart,
    store: StoreSide,
    parts: { readonly rooms: Rooms; readonly whole: WholeServer; readonly log: Log },
  ) {
    this.number = start.number;
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
    const told = await inTime(
      this.line.ask("doorMetrics").catch(() => undefined),
      metricsMs,
      undefined,
    );
    this.silent = told === undefined;
    this.lastMetrics = told ?? this.lastMetrics;
    return this.lastMetrics;
  }

  /** Has it take certificates, keys and rights as they are on disk. Errors: `unavailable` where it does not answer in time; it does when it can. */
  async reload(): Promise<void> {
    const asked = this.line.ask("reload").then(() => true);
    if (await inTime(asked, reloadMs, false)) return;
    throw new StillageError("unavailable", `worker ${this.number} has not answered within ${reloadMs / 1000} s`, {
      hint: "it reloads when it comes to it; see what holds it up, and ask for it again",
    });
  }

  /** Lets it close its doors, and ends it. */
  async close(graceMs: number): Promise<void> {
    await inTime(
      this.line.ask("close", graceMs).catch(() => {}),
      graceMs + lateMs,
      undefined,
    );
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
