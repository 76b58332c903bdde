import { StillageError } from "../../base/errors.ts";
import { whyNot } from "./bst-failure.ts";
import type { BuiltElement } from "./bst-graph.ts";
import { type BstInstallation, bstWords, isNoProgram, noBst } from "./bst-installation.ts";
import { BstOutput } from "./bst-output.ts";
import type { PipelineTime } from "./pipeline.ts";
import { runInGroup } from "./process-group.ts";

/** What is missed at about the same time is fetched by one process: starting `bst` takes longer than this. */
const firstPauseMs = 200;
/** The more processes run, the longer others wait for company; never so long that anybody minds. */
const longestPauseMs = 3200;

export interface BstFetcherOptions {
  /** As for builds: with the user's caches of sources. */
  readonly bst: BstInstallation;
  /** Tries after the first one. */
  readonly networkRetries: number;
  readonly time: PipelineTime;
}

interface Waiting {
  readonly element: BuiltElement;
  readonly signal: AbortSignal;
  resolve(what: "fetched" | "present"): void;
  reject(error: unknown): void;
}

/** Fetches sources of elements with the installed `bst`, all at once that it is called for: whoever calls it says by that how many that are. Disposing waits for what it has started. */
export class BstFetcher implements AsyncDisposable {
  private readonly options: BstFetcherOptions;
  private waiting: Waiting[] = [];
  private readonly processes = new Set<Promise<void>>();

  constructor(options: BstFetcherOptions) {
    this.options = options;
  }

  /**
   * The element's sources are in the local cache then. What was fetched and what was not is BuildStream's own to keep: a process that is ended leaves nothing half. Errors: `failed-precondition` with what `bst` said; `not-found` where
   * there is no `bst`; the signal's.
   */
  fetch(element: BuiltElement, signal: AbortSignal): Promise<"fetched" | "present"> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ element, signal, resolve, reject });
      if (this.waiting.length === 1) void this.gather(signal);
    });
  }

  private async gather(signal: AbortSignal): Promise<void> {
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** this.processes.size);
    // Whoever is stopped meanwhile finds that out when it begins.
    await this.options.time.wait(pause, signal).catch(() => {});
    const together = this.waiting;
    this.waiting = [];
    const left = new Map(together.map((each) => [each.element.name, each]));
    const run = this.run(left).catch((error: unknown) => {
      for (const { reject } of left.values()) reject(error);
    });
    this.processes.add(run);
    await run;
    this.processes.delete(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes);
  }

  /** Takes those out that it knows the end of. */
  private async run(left: Map<string, Waiting>): Promise<void> {
    const take = (name: string): Waiting | undefined => {
      const each = left.get(name);
      left.delete(name);
      return each;
    };
    const output = new BstOutput({
      fetched: (name) => take(name)?.resolve("fetched"),
      failed: (name) => take(name)?.reject(failureOf(name, output, "a failure")),
    });
    const { bst, networkRetries } = this.options;
    const words = [
      ...[...bstWords(bst), "--on-error", "continue", "--fetchers", String(left.size)],
      ...["--network-retries", String(networkRetries), "source", "fetch", "--deps", "none", "--", ...left.keys()],
    ];
    const signal = AbortSignal.any([...new Set([...left.values()].map((each) => each.signal))]);
    const end = await runInGroup(bst.program, words, { signal }, (stream, bytes) => {
      if (stream === "stderr") output.take(bytes);
    });
    output.end();
    if (isNoProgram(end)) throw noBst(bst);
    if (end.stopped) signal.throwIfAborted();
    for (const [name, each] of left) {
      // It says nothing of what is there.
      const others = output.failures.size > 0 && !output.failures.has(name);
      if (end.status === 0 || others) each.resolve("present");
      else each.reject(failureOf(name, output, String(end.status ?? end.signal)));
    }
  }
}

function failureOf(name: string, output: BstOutput, end: string): StillageError {
  const { why } = whyNot(name, output, `\`bst source fetch\` ended with ${end}`);
  return new StillageError("failed-precondition", `${name}: ${why}`);
}
