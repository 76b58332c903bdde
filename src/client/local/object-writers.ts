import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../base/worker.ts";
import type { WholeBlob } from "../blob-place.ts";
import type { CacheLayout } from "./cache-layout.ts";

/** More than these would wait for the file system, not for one another. */
const maxThreads = 4;

/** Small objects in one memory. */
export interface WriterTask {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly hashes: readonly string[];
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
}

export interface WriterAnswer {
  readonly id: number;
  readonly failure: WriterFailure | undefined;
}

/** The error of the file system that ended a task at one of its objects: those before it are there. */
export interface WriterFailure {
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

/** What a thread begins with. */
export interface WriterData {
  readonly layout: CacheLayout;
  /** Of the folder that is its own. */
  readonly name: string;
}

interface Thread {
  /** Whether somebody waits for its end. */
  isClosing: boolean;
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

  /** Writes blobs that are verified. Gives what ended that; `undefined` where all are there. */
  async write(blobs: LyingBlobs): Promise<WriterFailure | undefined> {
    const id = this.ids++;
    const { worker, waiting } = this.idlest();
    const task = taskOf(id, blobs);
    const answer = Promise.withResolvers<WriterFailure | undefined>();
    waiting.set(id, answer);
    worker.ref();
    worker.postMessage(task, [task.memory, task.offsets.buffer, task.sizes.buffer]);
    return answer.promise;
  }

  /** Ends the threads once they have done what they were given. */
  async close(): Promise<void> {
    const { threads = [] } = this;
    this.threads = undefined;
    await Promise.all(
      threads.map(async (thread) => {
        const { worker } = thread;
        thread.isClosing = true;
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
    const worker = startWorker("./object-writer.worker.ts", import.meta.url, {
      workerData: { layout: this.layout, name: freshWriterName() } satisfies WriterData,
    });
    const waiting: Thread["waiting"] = new Map();
    const thread: Thread = { isClosing: false, worker, waiting };
    worker.on("message", ({ id, failure }: WriterAnswer) => {
      waiting.get(id)?.resolve(failure);
      waiting.delete(id);
      if (waiting.size === 0 && !thread.isClosing) worker.unref();
    });
    worker.on("error", (error) => {
      for (const answer of waiting.values()) answer.reject(error);
      waiting.clear();
      this.threads = this.threads?.filter((each) => each.worker !== worker);
      if (this.threads?.length === 0) this.threads = undefined;
    });
    worker.unref();
    return thread;
  }
}

/** A name for a writer's folder that no other has, of this process or another. */
export function freshWriterName(): string {
  return `small-${process.pid}-${randomBytes(6).toString("hex")}`;
}

/** Blobs in memory that may go to a thread. */
export interface LyingBlobs {
  readonly blobs: readonly WholeBlob[];
  readonly memory: ArrayBuffer;
}

/** Blobs that lie elsewhere, as such. */
export function copied(blobs: readonly WholeBlob[]): LyingBlobs {
  const all = Buffer.allocUnsafeSlow(blobs.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  const copies = blobs.map(({ digest, bytes }) => {
    all.set(bytes, at);
    at += bytes.length;
    return { digest, bytes: all.subarray(at - bytes.length, at) };
  });
  return { blobs: copies, memory: all.buffer };
}

function taskOf(id: number, { blobs, memory }: LyingBlobs): WriterTask {
  const offsets = new Float64Array(blobs.length);
  const sizes = new Float64Array(blobs.length);
  const hashes: string[] = [];
  for (const [i, { digest, bytes }] of blobs.entries()) {
    offsets[i] = bytes.byteOffset;
    sizes[i] = bytes.length;
    hashes.push(digest.hash);
  }
  return { id, memory, hashes, offsets, sizes };
}
