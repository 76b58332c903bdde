import type { Worker } from "node:worker_threads";
import { StillageError } from "../../base/errors.ts";
import { startWorker } from "../../base/worker.ts";
import type { ChangeResult, RefChange, RefOutcome } from "./ref-change.ts";

/** Changes in one transaction: enough that the wait for the disk hardly counts, few enough that the first does not wait for the last. */
export const maxBatchChanges = 1000;

/**
 * `on` waits for the disk before a change is acknowledged. `off` does not: a power cut can lose the last changes, a crash of the
 * program cannot, and neither damages the file.
 */
export type Durability = "on" | "off";

interface Waiting {
  readonly change: RefChange;
  readonly resolve: (result: ChangeResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Hands changes to the thread that writes them. Whatever comes while a batch is being written makes up the next one, so
 * all who wait share one wait for the disk.
 */
export class RefWriter {
  private readonly worker: Worker;
  private waiting: Waiting[] = [];
  private writing: readonly Waiting[] = [];
  private failure: StillageError | undefined;
  private readonly onPut: (ids: readonly number[]) => void;
  private readonly ended: Promise<void>;

  /** `onPut` is told what was put, while that is noted, before anybody hears that it is durable. */
  constructor(file: string, durability: Durability, onPut: (ids: readonly number[]) => void) {
    this.onPut = onPut;
    const synchronous = durability === "on" ? "FULL" : "NORMAL";
    this.worker = startWorker("./ref-writer.worker.ts", import.meta.url, { workerData: { file, synchronous } });
    this.worker.on("message", (outcome: RefOutcome) => this.written(outcome));
    this.worker.on("error", (cause) =>
      this.fail(new StillageError("internal", "the writer of refs failed", { cause })),
    );
    this.ended = new Promise((resolve) => {
      this.worker.once("exit", () => {
        this.fail(new StillageError("unavailable", "the cache is being stopped"));
        resolve();
      });
    });
  }

  /** Resolves once the change is durable, with what came of it. Changes are done in the order in which they come. */
  write(change: RefChange): Promise<ChangeResult> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting.push({ change, resolve, reject });
      if (this.writing.length === 0) this.send();
    });
  }

  /** Ends the thread once everything that waits is written. */
  async close(): Promise<void> {
    const nothing: RefChange = { kind: "use", used: new Map() };
    await this.write(nothing).then(
      () => this.worker.postMessage("close"),
      () => this.worker.terminate(),
    );
    await this.ended;
  }

  private send(): void {
    this.writing = this.waiting.splice(0, maxBatchChanges);
    if (this.writing.length > 0) this.worker.postMessage(this.writing.map((each) => each.change));
  }

  private written(outcome: RefOutcome): void {
    const batch = this.writing;
    this.send();
    if (outcome.done && outcome.put.length > 0) this.onPut(outcome.put);
    for (const [i, each] of batch.entries()) {
      if (outcome.done) each.resolve(outcome.results[i]);
      else each.reject(new StillageError(outcome.code, outcome.message));
    }
  }

  private fail(error: StillageError): void {
    this.failure ??= error;
    for (const each of [...this.writing, ...this.waiting]) each.reject(this.failure);
    this.writing = [];
    this.waiting = [];
  }
}
