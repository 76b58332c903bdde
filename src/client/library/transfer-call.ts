import { systemClock } from "../../base/clock.ts";
import { Callbacks } from "../callbacks.ts";
import type { ItemOutcome, TransferSummary } from "../transfer/transfer-outcome.ts";
import { TransferProgress } from "../transfer/transfer-progress.ts";
import type { TransferCallOptions, TransferReport } from "./call-options.ts";
import { cancelled, stoppable } from "./cancellation.ts";
import type { TransferContext } from "./named-transfers.ts";

const progressEveryMs = 250;
const maxUnfinished = 1000;

/** Runs a transfer as a call of the library: how far it is is told now and then, and once at its end. Errors: those of `work`, and of its summary; `cancelled`; what one of the caller's functions throws. */
export async function transferCall(
  doing: string,
  context: Pick<TransferContext, "places" | "ofElements">,
  { onItem, onProgress, signal: own }: TransferCallOptions,
  work: (context: TransferContext) => Promise<TransferSummary>,
): Promise<TransferReport> {
  const callbacks = new Callbacks();
  const signal = AbortSignal.any([context.places.signal(own), callbacks.signal]);
  const unfinished: ItemOutcome[] = [];
  const progress = new TransferProgress(systemClock);
  const tellItem = callbacks.safe(onItem);
  const tellProgress = callbacks.safe(onProgress);
  const tell = (): void => tellProgress(progress.state());
  const done = (outcome: ItemOutcome): void => {
    const { result } = outcome;
    if ((result === "failed" || result === "missing") && unfinished.length < maxUnfinished) unfinished.push(outcome);
    tellItem(outcome);
  };
  const ticking = onProgress && setInterval(tell, progressEveryMs);
  return callbacks.during(async () => {
    try {
      const { error, ...summary } = await stoppable(signal, doing, () => work({ ...context, progress, done, signal }));
      if (summary.stopped) throw cancelled(signal, doing);
      if (error !== undefined) throw error;
      return { ...summary, unfinished };
    } finally {
      clearInterval(ticking);
      tell();
    }
  });
}
