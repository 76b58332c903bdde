import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import type { Purpose } from "../client/configuration/client-configuration.ts";
import { openReachability, unreachablePath } from "../client/connection/reachability.ts";
import { elementQuestions } from "../client/library/bst-elements.ts";
import { ClientPlaces } from "../client/library/client-places.ts";
import type { TransferContext } from "../client/library/named-transfers.ts";
import { nothingDone, type TransferSummary } from "../client/transfer/transfer-outcome.ts";
import { TransferProgress } from "../client/transfer/transfer-progress.ts";
import { bstOf, type ClientFlags, clientConfiguration } from "./client-options.ts";
import { exitStatus } from "./exit-status.ts";
import { interruptible } from "./interruptible.ts";
import { sayAbsentCache } from "./named-cache.ts";
import { stoppedAtOnceText, stoppedText, TransferReport, type TransferWords } from "./transfer-report.ts";

export interface TransferFlags extends ClientFlags {
  readonly json?: true;
}

interface TransferKind {
  readonly words: TransferWords;
  readonly purpose: Purpose;
  /** The one place that is read. */
  readonly source?: string;
}

export function addJsonOption(command: Command): Command {
  return command.option(
    "--json",
    "Print an event on each line as JSON: what becomes of each artifact, how far it is, and the end",
  );
}

/** Reads the configuration, lets `work` move what it wants, and gives the exit status. A signal stops it within a moment; what has arrived stays. */
export async function runTransfer(
  flags: TransferFlags,
  { words, purpose, source }: TransferKind,
  work: (context: TransferContext) => Promise<TransferSummary>,
): Promise<number> {
  const configuration = clientConfiguration(flags, purpose);
  if (configuration === undefined) return exitStatus.usage;
  if (source !== undefined) sayAbsentCache(flags, configuration, source);
  return interruptible(
    async (signal) => {
      const progress = new TransferProgress(systemClock);
      await using report = new TransferReport(words, { json: flags.json === true, progress });
      await using places = new ClientPlaces({
        configuration,
        reachability: openReachability(unreachablePath(process.env), systemClock),
        left: (remote) => report.left([remote]),
        leftOut: report.leftOut,
        limited({ name, shortcomings }) {
          for (const each of shortcomings) report.say(`${name}: ${each}`);
        },
      });
      const ofElements = elementQuestions(configuration, bstOf(flags));
      const saving = (place: string): void => {
        const tell = (): void => report.say(`what has come is being written to ${place}`);
        if (signal.aborted) tell();
        else signal.addEventListener("abort", tell, { once: true });
      };
      const context = { places, ofElements, progress, done: report.done, saving, signal };
      const summary = await work(context).catch((error): TransferSummary => {
        if (signal.aborted) return { ...nothingDone, stopped: true };
        return { ...nothingDone, error: asStillageError(error) };
      });
      return report.end(summary);
    },
    [stoppedText, stoppedAtOnceText],
  );
}
