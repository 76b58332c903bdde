import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../base/worker.ts";
import type { WholeBlob } from "../blob-place.ts";
import type { CacheLayout } from "./cache-layout.ts";

/** More than these would wait for the file system, not for one another. */
const maxThreads = 4;

/** Small objects, one behind the other in `bytes`. */
export interface WriterTask {
  readonly id: number;
  readonly bytes: ArrayBuffer;
  readonly hashes: readonly string[];
  readonly sizes: readonly number[];
}

export interface WriterAnswer {
  readonly id: number;
  readonly failure: WriterFailure | undefined;
}

/** What ended a task at one of its objects: those before it are there. */
export interface WriterFailure {
  readonly at: number;
  /** An error of the file system; `different` for other bytes than those of the hash. */
  readonly error: "different" | { readonly code: string; readonly message: string };
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, PromiseWithResolvers<WriterFailure | undefined>>;
}

/**
 * Threads that write small objects: making a file keeps a processor busy for some 30 µs, and whoever pulls many has other things to do. They start with the
 * first task, or when one is foreseen, and keep no process from ending while they have none.
 */
export class ObjectWriters {
  private readonly layout: CacheLayout;
  private threads: Thread[] | undefined;
  private ids = 0;

  constructor(layout: CacheLayout) {
    this.layout = layout;
  }

  /** Starts the threads, which takes some 40 ms that whoever will have a task need not wait for. */
  start(): void {
    this.threads ??= Array.from({ length: Math.min(maxThreads, availableParallelism()) }, () => this.startOne());
  }

  /** Verifies blobs and writes them. Gives what ended that; `undefined` where all are there. */
  async write(blobs: readonly WholeBlob[]): Promise<WriterFailure | undefined> {
    const id = this.ids++;
    const { worker, waiting } = this.idlest();
    const task = packed(id, blobs);
    const answer = Promise.withResolvers<WriterFailure | undefined>();
    waiting.set(id, answer);
    worker.ref();
    worker.postMessage(task, [task.bytes]);
    return answer.promise;
  }

  /** Ends the threads once they have done what they were given. */
  async close(): Promise<void> {
    const { threads = [] } = this;
    this.threads = undefined;
    await Promise.all(
      threads.map(async ({ worker }) => {
        const ended = once(worker, "exit");
        worker.ref();
        worker.postMessage(undefined);
        await ended;
      }),
    );
  }

  private idlest(): Thread {
    this.start();
    const threads = this.threads as Thread[];
    return threads.reduce((best, each) => (each.waiting.size < best.waiting.size ? each : best));
  }

  private startOne(): Thread {
    const worker = startWorker("./object-writer.worker.ts", import.meta.url, { workerData: this.layout });
    const waiting: Thread["waiting"] = new Map();
    worker.on("message", ({ id, failure }: WriterAnswer) => {
      waiting.get(id)?.resolve(failure);
      waiting.delete(id);
      if (waiting.size === 0) worker.unref();
    });
    worker.on("error", (error) => {
      for (const answer of waiting.values()) answer.reject(error);
      waiting.clear();
      this.threads = this.threads?.filter((each) => each.worker !== worker);
      if (this.threads?.length === 0) this.threads = undefined;
    });
    worker.unref();
    return { worker, waiting };
  }
}

/** In memory of its own, which goes to the thread. */
function packed(id: number, blobs: readonly WholeBlob[]): WriterTask {
  const sizes = blobs.map(({ digest }) => digest.size);
  const all = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const { bytes } of blobs) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return { id, bytes: all.buffer, hashes: blobs.map(({ digest }) => digest.hash), sizes };
}
