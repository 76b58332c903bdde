import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { StillageError } from "../base/errors.ts";
import { startWorker } from "../base/worker.ts";
import type { HashedFile } from "./check-file.ts";
import type { PackCheck } from "./check-pack.ts";

/** More threads do not make a disk faster, and each holds what it reads of a pack's index. */
const maxWorkers = 4;

export type CheckTask =
  | {
      readonly kind: "pack";
      readonly path: string;
      readonly index: string;
      readonly function: string;
      readonly now: number;
    }
  | { readonly kind: "file"; readonly path: string; readonly function: string };

export interface CheckAnswer {
  readonly pack?: PackCheck;
  readonly file?: HashedFile;
  /** Why the system did not let it be read. */
  readonly refused?: string;
}

/** Threads that read and hash, as many as the machine runs at a time. */
export class CheckWorkers implements AsyncDisposable {
  /** Tasks that may usefully be under way at a time. */
  readonly count = Math.min(maxWorkers, availableParallelism());
  private readonly done = new SharedArrayBuffer(8);
  private readonly idle: Worker[] = [];
  private readonly all = new Set<Worker>();
  private readonly waiting: (() => void)[] = [];
  private nextId = 0;

  /** Bytes that were read. */
  get bytes(): number {
    return Number(Atomics.load(new BigInt64Array(this.done), 0));
  }

  async run(task: CheckTask): Promise<CheckAnswer> {
    while (this.idle.length === 0 && this.all.size >= this.count) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    const worker = this.idle.pop() ?? this.start();
    try {
      return await this.ask(worker, task);
    } finally {
      if (this.all.has(worker)) this.idle.push(worker);
      this.waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.all].map((worker) => worker.terminate()));
  }

  private start(): Worker {
    const worker = startWorker("./check.worker.ts", import.meta.url, { workerData: { done: this.done } });
    this.all.add(worker);
    // What nobody asks anything may end, too; an error comes before the end.
    const ended = (): void => {
      this.all.delete(worker);
      const at = this.idle.indexOf(worker);
      if (at >= 0) this.idle.splice(at, 1);
    };
    return worker.on("error", ended).on("exit", ended);
  }

  private ask(worker: Worker, task: CheckTask): Promise<CheckAnswer> {
    const id = ++this.nextId;
    return new Promise((resolve, reject) => {
      const clean = (): void => void worker.off("message", heard).off("error", failed).off("exit", ended);
      const heard = (answer: CheckAnswer & { id: number }): void => {
        if (answer.id !== id) return;
        clean();
        resolve(answer);
      };
      const failed = (cause: unknown): void => {
        clean();
        reject(new StillageError("internal", `a check of ${task.path} failed`, { cause }));
      };
      const ended = (status: number): void => failed(new Error(`the thread ended with status ${status}`));
      worker.on("message", heard).on("error", failed).on("exit", ended);
      worker.postMessage({ id, task });
    });
  }
}
