import type { StillageError } from "../base/errors.ts";
import type { LeftRemote } from "../client/connection/open-remotes.ts";
import { shownUrl } from "../client/shown-url.ts";
import type { ItemOutcome, ItemResult, TransferSummary } from "../client/transfer/transfer-outcome.ts";
import type { TransferProgress, TransferState } from "../client/transfer/transfer-progress.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize, printable } from "./human-text.ts";
import { type Output, standardOutput } from "./output.ts";
import { noLine, type ProgressLine, showLine } from "./progress-line.ts";
import { reportFailure, whatFailed } from "./report-failure.ts";

/** What a command says of what it did: the words for people. */
export interface TransferWords {
  /** `pulled`, `pushed`, `copied`. */
  readonly done: string;
  /** Between an artifact and its place: `from`, `to`. */
  readonly way: "from" | "to";
}

/** How long programs that read JSON wait for news. */
const newsEveryMs = 1000;

/**
 * Tells of transfers while they run: on a terminal a line for each artifact and one that says how far it all is; in a pipe a line for each, with tabs; with `json` an event on
 * each line. What went wrong where is said on standard error. Disposing takes the line away.
 */
export class TransferReport implements AsyncDisposable {
  private readonly words: TransferWords;
  private readonly json: boolean;
  private readonly output: Output = standardOutput();
  private readonly line: ProgressLine;
  private readonly news: NodeJS.Timeout | undefined;
  private written: Promise<unknown> = Promise.resolve();
  private readonly started = performance.now();

  constructor(
    words: TransferWords,
    { json, progress }: { readonly json: boolean; readonly progress: TransferProgress },
  ) {
    this.words = words;
    this.json = json;
    this.line = json ? noLine : showLine(() => progressText(progress.state()), process.stderr);
    if (json) this.news = setInterval(() => this.event({ event: "progress", ...progress.state() }), newsEveryMs);
  }

  readonly done = (outcome: ItemOutcome): void => {
    const { name, result, place, blobs, bytes, notes, error } = outcome;
    if (this.json) {
      const word = this.word(result);
      this.event({ event: "artifact", name, result: word, place, blobs, bytes, notes, error: told(error) });
      return;
    }
    if (this.output.forPeople) this.write(`${personLine(outcome, this.word(result), this.words)}\n`);
    else this.write(`${[this.word(result), name, place ?? "", `${blobs}`, `${bytes}`].map(printable).join("\t")}\n`);
    const said =
      error === undefined || notes.some((note) => note.includes(error.message)) ? notes : [whatFailed(error), ...notes];
    for (const note of said) this.say(`${name}: ${note}`);
    if (error?.hint !== undefined) this.say(error.hint);
  };

  /** Tells of servers that are not used, each on a line. */
  readonly left = (remotes: readonly LeftRemote[]): void => {
    for (const { spec, error, remembered } of remotes) {
      if (this.json)
        this.event({
          event: "left out",
          remote: spec.name,
          url: shownUrl(spec.url),
          remembered,
          message: error.message,
        });
      else this.say(`${spec.name} is left out: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
    }
  };

  /** The same for a place that was named. */
  readonly leftOut = (name: string, { message }: StillageError): void => {
    if (this.json) this.event({ event: "left out", remote: name, remembered: false, message });
    else this.say(`${name} is left out: ${message}`);
  };

  /** Says a line on standard error. */
  say(text: string): void {
    this.line.away();
    process.stderr.write(`stillage: ${printable(text)}\n`);
  }

  /** Says what it all came to, and gives the exit status. */
  end({ results, blobs, bytes, leftOut, stopped, error }: TransferSummary): number {
    const seconds = Number(((performance.now() - this.started) / 1000).toFixed(3));
    const failed = stopped || leftOut > 0 || results.failed > 0 || results.missing > 0;
    const parts = Object.entries(results).filter(([, count]) => count > 0);
    const isFruitless = error !== undefined && parts.length === 0;
    if (this.json) {
      const named = Object.fromEntries(
        Object.entries(results).map(([result, count]) => [this.word(result as ItemResult), count]),
      );
      this.event({ event: "end", results: named, blobs, bytes, leftOut, seconds, stopped, error: told(error) });
    } else if (this.output.forPeople && !isFruitless) {
      const text =
        parts.map(([result, count]) => `${count} ${this.word(result as ItemResult)}`).join(", ") ||
        (stopped ? "nothing whole" : "nothing to do");
      this.write(`${text}: ${counted(blobs, "blob")}, ${humanSize(bytes)} in ${seconds.toFixed(1)} s\n`);
    }
    if (stopped && error === undefined) this.say(stoppedText);
    if (error !== undefined) {
      this.line.away();
      return reportFailure(error);
    }
    return failed ? exitStatus.failed : exitStatus.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.news);
    this.line[Symbol.dispose]();
    await this.written;
  }

  private word(result: ItemResult): string {
    if (result === "copied") return this.words.done;
    return result === "missing" ? "not found" : result;
  }

  private event(event: object): void {
    this.write(`${JSON.stringify(event)}\n`);
  }

  private write(text: string): void {
    this.written = this.written.then(() => {
      if (this.output.forPeople) this.line.away();
      return this.output.write(text);
    });
  }
}

export const stoppedText = "stopped; what has arrived stays, and the same command goes on from there";

/** Behind a second signal. */
export const stoppedAtOnceText =
  "stopped at once: what was on the disk by then stays, and a tar file that was to be written is as it was";

/** An error as programs get it. */
function told(error: StillageError | undefined): object | undefined {
  return error && { code: error.code, message: whatFailed(error) };
}

function personLine({ name, place, blobs, bytes, result }: ItemOutcome, word: string, { way }: TransferWords): string {
  const where = place === undefined ? "" : ` ${way} ${printable(place)}`;
  const moved = result === "copied" || blobs > 0 ? ` (${counted(blobs, "blob")}, ${humanSize(bytes)})` : "";
  return `${word.padEnd(9)} ${printable(name)}${where}${moved}`;
}

/** How far it is, in a line. */
export function progressText({ items, blobs, bytes, allKnown, bytesPerSecond, secondsLeft }: TransferState): string {
  const parts = [`${items.done} of ${counted(items.all, "artifact")}`];
  if (blobs.all > 0) {
    parts.push(
      `${blobs.done} of ${blobs.all} blobs`,
      `${humanSize(bytes.done)} of ${humanSize(bytes.all)}${allKnown ? "" : " and more"}`,
    );
  }
  if (bytesPerSecond !== undefined) parts.push(`${humanSize(Math.round(bytesPerSecond))}/s`);
  if (secondsLeft !== undefined) parts.push(`${timeLeft(secondsLeft)} left`);
  return parts.join(", ");
}

function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
