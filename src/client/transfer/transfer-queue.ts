import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../base/clock.ts";
import { asStillageError, type StillageError } from "../../base/errors.ts";
import { backOffMs } from "../back-off.ts";
import { Callbacks } from "../callbacks.ts";
import { AwayError } from "../connection/away-error.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { OptionalParts } from "./copy-content.ts";
import {
  type ItemOutcome,
  isPassing,
  nothingDone,
  type TransferSummary,
  type UncountedOutcome,
} from "./transfer-outcome.ts";
import { TransferProgress } from "./transfer-progress.ts";

/** What pulls, pushes and mirrors have in common. */
export interface TransferOptions {
  /** Artifacts that are under way at a time, one at least. */
  readonly width: number;
  /** How often one is tried again that failed with what passes, after a pause that grows. */
  readonly retries: number;
  readonly optional: OptionalParts;
  readonly budget: ByteBudget;
  readonly progress?: TransferProgress | undefined;
  /** Called once for each artifact that came to an end, as soon as it has. */
  readonly done: (outcome: ItemOutcome) => void;
  /** What is under way is stopped, and nothing else begun. */
  readonly signal: AbortSignal;
  /** Waits for so many milliseconds; for tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1; for tests. */
  readonly random?: () => number;
}

/** How the items of a queue are called and done. What is moved for one is told to its `progress`. */
export interface QueueWork<T> {
  readonly name: (item: T) => string;
  readonly work: (item: T, progress: TransferProgress) => Promise<UncountedOutcome>;
}

/** Who asks for more fails what needs it: all that is in the queue would wait for it in turn. */
const longestPauseMs = 10_000;

const sleep = async (ms: number, signal: AbortSignal): Promise<void> => void (await delay(ms, undefined, { signal }));

/**
 * Takes items one by one and does so many at a time; one that fails leaves the others alone. Where `items` fails, what is under way comes to its end, and the summary has the error. Errors:
 * what `done` throws, after which nothing is begun.
 */
export async function runQueue<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: QueueWork<T>,
  options: TransferOptions,
): Promise<TransferSummary> {
  const callbacks = new Callbacks();
  const stop = AbortSignal.any([options.signal, callbacks.signal]);
  const queue = new Queue(work, { ...options, done: callbacks.safe(options.done), signal: stop });
  return callbacks.during(() => runAll(items, queue, options.width, stop));
}

async function runAll<T>(
  items: Iterable<T> | AsyncIterable<T>,
  queue: Queue<T>,
  width: number,
  signal: AbortSignal,
): Promise<TransferSummary> {
  const running = new Set<Promise<void>>();
  let error: StillageError | undefined;
  try {
    for await (const item of items) {
      if (signal.aborted) {
        queue.stopped = true;
        break;
      }
      const job = queue.one(item).finally(() => running.delete(job));
      running.add(job);
      if (running.size >= width) await Promise.race(running);
    }
  } catch (caught) {
    // A list that is stopped fails with the signal's reason.
    if (signal.aborted) queue.stopped = true;
    else error = asStillageError(caught);
  }
  await Promise.all(running);
  return { ...nothingDone, ...queue.sum(), stopped: queue.stopped, error };
}

class Queue<T> {
  /** Whether an item was stopped before its end, or not begun. */
  stopped = false;
  private readonly work: QueueWork<T>;
  private readonly options: TransferOptions;
  private readonly results = { ...nothingDone.results };
  private readonly moved: TransferProgress;

  constructor(work: QueueWork<T>, options: TransferOptions) {
    this.work = work;
    this.options = options;
    this.moved = options.progress?.ofItem() ?? new TransferProgress(systemClock);
  }

  sum(): Pick<TransferSummary, "results" | "blobs" | "bytes"> {
    return { results: this.results, ...this.moved.done };
  }

  async one(item: T): Promise<void> {
    const { progress, done } = this.options;
    progress?.itemBegins();
    const own = this.moved.ofItem();
    const outcome = await this.tried(item, own);
    if (outcome === undefined) {
      this.stopped = true;
      return;
    }
    progress?.itemDone();
    this.results[outcome.result] += 1;
    done({ ...outcome, ...own.done });
  }

  /** `undefined` for one that was stopped. */
  private async tried(item: T, own: TransferProgress): Promise<UncountedOutcome | undefined> {
    const { retries, signal, pause = sleep, random = Math.random } = this.options;
    for (let tries = 1; ; tries++) {
      const outcome = await this.work.work(item, own).catch((error) => failed(this.work.name(item), error));
      const { error } = outcome;
      if (error === undefined) return outcome;
      if (signal.aborted) return undefined;
      const ms = backOffMs(tries, error, random);
      if (!isPassing(error) || tries > retries || isAway(error) || ms > longestPauseMs) return outcome;
      await pause(ms, signal).catch(() => {});
      if (signal.aborted) return undefined;
    }
  }
}

/** Whether a server was not even asked, because it has stopped answering. */
function isAway(error: StillageError): boolean {
  return error instanceof AwayError || error.cause instanceof AwayError;
}

function failed(name: string, error: unknown): UncountedOutcome {
  return { name, result: "failed", place: undefined, notes: [], error: asStillageError(error) };
}
