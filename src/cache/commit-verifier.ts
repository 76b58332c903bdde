import { setTimeout as delay } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import type { Log } from "../base/log.ts";

/** For each millisecond that a look at one commit took, it rests so many. */
const restFactor = 9;

/** And at least this long in milliseconds. */
const leastRestMs = 1;

export interface VerifierTiming {
  /** Milliseconds of a clock that only goes on. */
  readonly now: () => number;
  /** Rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export interface VerifierOptions {
  /** Whether everything of a commit is there, asked without a use of it. */
  readonly complete: (commit: Digest) => Promise<boolean>;
  /** Counts the blobs that were found to be damaged since the start. */
  readonly damage: () => number;
  /** Takes the checksum of a commit of which something is missing. */
  readonly found: (commit: string) => Promise<void>;
  readonly log: Log;
  readonly timing?: VerifierTiming | undefined;
}

const realTiming: VerifierTiming = {
  now: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
};

/**
 * Looks at all commits of an instance whether something of them is missing: once after the start, as nobody knows what was found to be damaged before, and again
 * whenever blobs were found damaged. One after the other, for a tenth of the time, so it may take minutes; what it has not come to yet is found when somebody pulls it.
 */
export class CommitVerifier {
  private readonly options: VerifierOptions;
  private readonly timing: VerifierTiming;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** What `damage` said when the last look at all began. */
  private seen = -1;

  constructor(options: VerifierOptions) {
    this.options = options;
    this.timing = options.timing ?? realTiming;
  }

  /** Begins to look where there is reason to, and nobody does. `commits`: all that there are. */
  lookAt(commits: () => Iterable<Digest>): void {
    const damage = this.options.damage();
    if (damage === this.seen || this.running !== undefined || this.stopping.signal.aborted) return;
    this.seen = damage;
    this.running = this.look(commits())
      .catch((error: unknown) => {
        if (this.stopping.signal.aborted) return;
        this.seen = -1; // the next who asks has it begin again
        this.options.log.error({ err: error }, "commits could not be looked at");
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async look(commits: Iterable<Digest>): Promise<void> {
    const { now, wait } = this.timing;
    const { complete, found } = this.options;
    for (const commit of commits) {
      await wait(leastRestMs, this.stopping.signal);
      const began = now();
      if (!(await complete(commit))) await found(commit.hash);
      await wait(restFactor * (now() - began), this.stopping.signal);
    }
  }
}
