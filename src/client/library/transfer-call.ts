import { systemClock } from "../../base/clock.ts";
import type { ItemOutcome, TransferSummary } from "../transfer/transfer-outcome.ts";
import { TransferProgress } from "../transfer/transfer-progress.ts";
import type { TransferCallOptions, TransferReport } from "./call-options.ts";
import { cancelled, stoppable } from "./cancellation.ts";
import type { TransferContext } from "./named-transfers.ts";

const progressEveryMs = 250;
const maxUnfinished = 1000;

/** Runs a transfer as a call of the library: how far it is is told now and then, and once at its end. Errors: those of `work`, and of its summary; `cancelled`. */
export async function transferCall(
  doing: string,
  context: Pick<TransferContext, "places" | "ofElements">,
  { onItem, onProgress, signal: own }: TransferCallOptions,
  work: (context: TransferContext) => Promise<TransferSummary>,
): Promise<TransferReport> {
  const signal = context.places.signal(own);
  const unfinished: ItemOutcome[] = [];
  const progress = new TransferProgress(systemClock);
  const tell = (): void => onProgress?.(progress.state());
  const done = (outcome: ItemOutcome): void => {
    const { result } = outcome;
    if ((result === "failed" || result === "missing") && unfinished.length < maxUnfinished) unfinished.push(outcome);
    onItem?.(outcome);
  };
  const ticking = onProgress && setInterval(tell, progressEveryMs);
  try {
    const { error, ...summary } = await stoppable(signal, doing, () => work({ ...context, progress, done, signal }));
    if (summary.stopped) throw cancelled(signal, doing);
    if (error !== undefined) throw error;
    return { ...summary, unfinished };
  } finally {
    clearInterval(ticking);
    tell();
  }
}
