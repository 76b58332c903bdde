import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { ArtifactQuestion } from "../client/artifact-index.ts";
import type { ClientConfiguration, Purpose } from "../client/configuration/client-configuration.ts";
import { openReachability, unreachablePath } from "../client/connection/reachability.ts";
import { openPlace } from "../client/open-place.ts";
import type { Place } from "../client/place.ts";
import type { RemoteSpec } from "../client/remote-spec.ts";
import { copyBudget } from "../client/transfer/copy-artifact.ts";
import { type MeaninglessText, type QuestionSources, questionsMeant } from "../client/transfer/questions-meant.ts";
import { TransferProgress } from "../client/transfer/transfer-progress.ts";
import type { TransferOptions } from "../client/transfer/transfer-queue.ts";
import { type ClientFlags, clientConfiguration } from "./client-options.ts";
import { elementQuestions } from "./element-questions.ts";
import { exitStatus } from "./exit-status.ts";
import { interruptible } from "./interruptible.ts";
import { stoppedText, TransferReport, type TransferWords } from "./transfer-report.ts";

export interface TransferFlags extends ClientFlags {
  readonly json?: true;
}

/** What commands that move artifacts work with. */
export interface Transfer {
  readonly configuration: ClientConfiguration;
  readonly report: TransferReport;
  readonly options: Omit<TransferOptions, "width" | "optional">;
  readonly signal: AbortSignal;
  /** A place by what somebody calls it; closed at the end. */
  open(text: string, mode: "read" | "write"): Promise<Place>;
  /** Those remotes that can be used, in their order; of the others it is said that they are not. Errors: `unavailable` where there are none. */
  remotes(specs: readonly RemoteSpec[]): Promise<readonly Place[]>;
  /** What is meant by names; what means nothing is reported. */
  questions(texts: readonly string[], places: QuestionSources["places"]): Promise<ArtifactQuestion[]>;
  /** How many names meant nothing. */
  readonly meaningless: number;
}

export const placeText = "`local`, a remote's name or URL, a FILE.tar, or the directory of a cache or store";

export function addJsonOption(command: Command): Command {
  return command.option(
    "--json",
    "Print an event on each line as JSON: what becomes of each artifact, how far it is, and the end",
  );
}

/** Reads the configuration, lets `work` move what it wants, and gives the exit status. A signal stops it within a moment; what has arrived stays. */
export async function runTransfer(
  flags: TransferFlags,
  { words, purpose }: { readonly words: TransferWords; readonly purpose: Purpose },
  work: (transfer: Transfer) => Promise<number>,
): Promise<number> {
  const configuration = clientConfiguration(flags, purpose);
  if (configuration === undefined) return exitStatus.usage;
  return interruptible(async (signal) => {
    await using opened = new AsyncDisposableStack();
    const progress = new TransferProgress(systemClock);
    const report = opened.use(new TransferReport(words, { json: flags.json === true, progress }));
    const reachability = openReachability(unreachablePath(process.env), systemClock);
    let meaningless = 0;
    return await work({
      configuration,
      report,
      signal,
      options: { retries: configuration.networkRetries, budget: copyBudget(), progress, done: report.done, signal },
      async open(text, mode) {
        return opened.use(await openPlace(text, configuration, { mode, instance: undefined, reachability, signal }));
      },
      async remotes(specs) {
        const { openRemotes } = await import("../client/connection/open-remotes.ts");
        const remotes = opened.use(await openRemotes(specs, { reachability, signal }));
        report.left(remotes.left);
        for (const { name, shortcomings } of remotes.open)
          for (const each of shortcomings) report.say(`${name}: ${each}`);
        if (remotes.open.length === 0) throw nobodyToAsk(remotes.left.length);
        return remotes.open;
      },
      async questions(texts, places) {
        const ofElements = elementQuestions(configuration, flags);
        const meant = await questionsMeant(texts, { places, ofElements, signal });
        for (const each of meant.meaningless) tellMeaningless(report, each);
        meaningless += meant.meaningless.length;
        return meant.questions;
      },
      get meaningless() {
        return meaningless;
      },
    });
  }, stoppedText);
}

function tellMeaningless({ done }: TransferReport, { text, error }: MeaninglessText): void {
  const result = error.code === "not-found" ? "missing" : "failed";
  done({ name: text, result, place: undefined, blobs: 0, bytes: 0, notes: [], error });
}

function nobodyToAsk(left: number): StillageError {
  if (left > 0) return new StillageError("unavailable", "none of the remotes can be used");
  return new StillageError("failed-precondition", "no remote is configured for this", {
    hint: "`stillage remote list` shows which are, and why others are not; --remote names one",
  });
}
