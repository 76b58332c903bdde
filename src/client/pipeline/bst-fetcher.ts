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

/** For each source that is being fetched another one waits in the same process: who starts a process for each round of downloads waits for that each time. */
export const fetchedAhead = 2;

export interface BstFetcherOptions {
  /** As for builds: with the user's caches of sources. */
  readonly bst: BstInstallation;
  /** Elements that are fetched at a time, by all processes together. It is called for `fetchedAhead` times as many. */
  readonly width: number;
  /** Tries after the first one. */
  readonly networkRetries: number;
  readonly time: PipelineTime;
}

interface Waiting {
  readonly element: BuiltElement;
  readonly signal: AbortSignal;
  readonly ending: AbortSignal;
  resolve(what: "fetched" | "present"): void;
  reject(error: unknown): void;
}

interface Fetching {
  /** How many it fetches at a time. */
  readonly width: number;
  /** What it has not told the end of, by name. */
  readonly left: Map<string, Waiting>;
}

/** Fetches sources of elements with the installed `bst`, in few processes. Disposing waits for what it has started. */
export class BstFetcher implements AsyncDisposable {
  private readonly options: BstFetcherOptions;
  private waiting: Waiting[] = [];
  private gathering = false;
  private readonly running = new Map<Fetching, Promise<void>>();
  /** Settled when the next element is done with. */
  private progress = Promise.withResolvers<void>();

  constructor(options: BstFetcherOptions) {
    this.options = options;
  }

  /**
   * The element's sources are in the local cache then. What was fetched and what was not is BuildStream's own to keep: a process that is ended leaves nothing half. Errors: `failed-precondition` with what `bst` said; `not-found` where
   * there is no `bst`; the signal's; that of `ending` where no process has it yet.
   */
  fetch(element: BuiltElement, signal: AbortSignal, ending: AbortSignal): Promise<"fetched" | "present"> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ element, signal, ending, resolve, reject });
      if (!this.gathering) void this.gather(AbortSignal.any([signal, ending]));
    });
  }

  private async gather(signal: AbortSignal): Promise<void> {
    this.gathering = true;
    while (this.waiting.length > 0) {
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** this.running.size);
      // Whoever is stopped meanwhile finds that out when it begins.
      await this.options.time.wait(pause, signal).catch(() => {});
      let width = this.free();
      for (; width <= 0; width = this.free()) await this.progress.promise;
      this.leaveOut();
      // What is more waits for more room than this process will ever have.
      const together = this.waiting.splice(0, Math.max(1, width * fetchedAhead));
      if (together.length > 0) this.start(together, width);
    }
    this.gathering = false;
  }

  /** Begins nothing for those whose run is ending. */
  private leaveOut(): void {
    const { left = [], begun = [] } = Object.groupBy(this.waiting, ({ ending }) => (ending.aborted ? "left" : "begun"));
    this.waiting = begun;
    for (const { ending, reject } of left) reject(ending.reason);
  }

  private free(): number {
    let used = 0;
    for (const { width, left } of this.running.keys()) used += Math.min(width, left.size);
    return this.options.width - used;
  }

  private start(together: readonly Waiting[], free: number): void {
    const left = new Map(together.map((each) => [each.element.name, each]));
    const fetching = { width: Math.min(free, left.size), left };
    const run = this.run(fetching)
      .catch((error: unknown) => {
        for (const { reject } of left.values()) reject(error);
      })
      .finally(() => {
        this.running.delete(fetching);
        this.progressed();
      });
    this.running.set(fetching, run);
  }

  private progressed(): void {
    this.progress.resolve();
    this.progress = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running.values());
  }

  /** Takes those out that it knows the end of. */
  private async run({ width, left }: Fetching): Promise<void> {
    const take = (name: string): Waiting | undefined => {
      const each = left.get(name);
      left.delete(name);
      this.progressed();
      return each;
    };
    const output = new BstOutput({
      fetched: (name) => take(name)?.resolve("fetched"),
      failed: (name) => take(name)?.reject(failureOf(name, output, "a failure")),
    });
    const { bst, networkRetries } = this.options;
    const words = [
      ...[...bstWords(bst), "--on-error", "continue", "--fetchers", String(width)],
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
      const others = end.signal === undefined && output.failures.size > 0 && !output.failures.has(name);
      if (end.status === 0 || others) each.resolve("present");
      else each.reject(failureOf(name, output, String(end.status ?? end.signal)));
    }
  }
}

function failureOf(name: string, output: BstOutput, end: string): StillageError {
  const { why } = whyNot(name, output, `\`bst source fetch\` ended with ${end}`);
  return new StillageError("failed-precondition", `${name}: ${why}`);
}
