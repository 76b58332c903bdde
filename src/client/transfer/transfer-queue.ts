import { asStillageError } from "../../base/errors.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { OptionalParts } from "./copy-content.ts";
import { type ItemOutcome, isPassing, itemResults, type TransferSummary } from "./transfer-outcome.ts";
import type { TransferProgress } from "./transfer-progress.ts";

/** What pulls, pushes and mirrors have in common. */
export interface TransferOptions {
  /** Artifacts that are under way at a time, one at least. */
  readonly width: number;
  /** How often one is tried again that failed with what passes. */
  readonly retries: number;
  readonly optional: OptionalParts;
  readonly budget: ByteBudget;
  readonly progress?: TransferProgress | undefined;
  /** Called once for each artifact that came to an end, as soon as it has. */
  readonly done: (outcome: ItemOutcome) => void;
  /** What is under way is stopped, and nothing else begun. */
  readonly signal: AbortSignal;
}

/**
 * Takes items one by one and does so many at a time; one that fails leaves the others alone. Errors: those of `items` alone, after what is under way
 * has come to its end.
 */
export async function runQueue<T>(
  items: Iterable<T> | AsyncIterable<T>,
  { name, work }: { readonly name: (item: T) => string; readonly work: (item: T) => Promise<ItemOutcome> },
  { width, retries, progress, done, signal }: TransferOptions,
): Promise<TransferSummary> {
  const results = Object.fromEntries(itemResults.map((each) => [each, 0])) as Record<ItemOutcome["result"], number>;
  const sum = { blobs: 0, bytes: 0 };
  const tryOften = async (item: T): Promise<ItemOutcome | undefined> => {
    for (let tried = 0; ; tried++) {
      const outcome = await work(item).catch((error): ItemOutcome => failed(name(item), error));
      const { error } = outcome;
      if (error !== undefined && signal.aborted) return undefined;
      if (error === undefined || !isPassing(error) || tried >= retries) return outcome;
    }
  };
  let stopped = false;
  const one = async (item: T): Promise<void> => {
    progress?.itemBegins();
    const outcome = await tryOften(item);
    progress?.itemDone();
    if (outcome === undefined) {
      stopped = true;
      return;
    }
    results[outcome.result] += 1;
    sum.blobs += outcome.blobs;
    sum.bytes += outcome.bytes;
    done(outcome);
  };
  const running = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      if (signal.aborted) {
        stopped = true;
        break;
      }
      const job = one(item).finally(() => running.delete(job));
      running.add(job);
      if (running.size >= width) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  return { results, ...sum, leftOut: 0, stopped };
}

function failed(name: string, error: unknown): ItemOutcome {
  return { name, result: "failed", place: undefined, blobs: 0, bytes: 0, notes: [], error: asStillageError(error) };
}
