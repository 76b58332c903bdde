import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import { isAbsent } from "./public-files.ts";

/** How long neither file may have changed where their times do not say that they belong together: far more than lies between two renames. */
const settledMs = 2000;

/** What may lie between the renames of one publication. */
const renamesNs = 100_000_000n;

/** How soon somebody looks again who has no earlier pair. */
const againMs = 50;

/** The longest summary that clients take is 128 MiB; the summary of a repository of releases with thousands of branches has one. */
const maxSummaryBytes = 32 << 20;

/** One of the two files. */
export interface SummaryFile {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly tag: string;
  /** In milliseconds since 1970. */
  readonly modified: number;
}

/** The list of a repository's branches and the signature of just that list, as they were at one moment. */
export interface SummaryPair {
  /** What the file system says of both; another one where either was replaced. */
  readonly key: string;
  readonly summary: SummaryFile | undefined;
  readonly signature: SummaryFile | undefined;
}

export interface PairTiming {
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<unknown>;
}

/**
 * Reads `summary` and `summary.sig` of a repository as a pair. They are two files, and whoever publishes replaces one after the other; a client that gets
 * one old and one new has a signature that does not fit. They belong together where both have the same time, as publishers set it that know of this, and where
 * neither has changed for some seconds. Until then the pair of before serves.
 */
export class SummaryPairReader {
  private readonly directory: string;
  private readonly timing: PairTiming;
  private pair: SummaryPair | undefined;
  private reading: Promise<SummaryPair> | undefined;

  /** `directory`: the repository's. */
  constructor(directory: string, timing: PairTiming = { clock: Date.now, wait: delay }) {
    this.directory = directory;
    this.timing = timing;
  }

  /** The pair as it is now. Errors: `unavailable` where it changes all the time. */
  async current(): Promise<SummaryPair> {
    const state = await this.look();
    if (this.pair !== undefined && state.key === this.pair.key) return this.pair;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async read(): Promise<SummaryPair> {
    const { clock, wait } = this.timing;
    const giveUp = clock() + 2 * settledMs;
    do {
      const state = await this.look();
      if (this.belongTogether(state)) {
        const [summary, signature] = await Promise.all([this.file("summary"), this.file("summary.sig")]);
        if ((await this.look()).key === state.key) {
          this.pair = { key: state.key, summary, signature };
          return this.pair;
        }
      } else {
        if (this.pair !== undefined) return this.pair;
        await wait(againMs);
      }
    } while (clock() < giveUp);
    if (this.pair !== undefined) return this.pair;
    throw new StillageError("unavailable", "the list of branches is being replaced", { retryAfterMs: settledMs });
  }

  private belongTogether({ summary, signature, changed }: PairState): boolean {
    if (summary !== undefined && signature !== undefined && summary.mtimeNs === signature.mtimeNs) {
      // Times may be in whole seconds, and of two publications in one.
      const apart = summary.ctimeNs - signature.ctimeNs;
      if (apart < renamesNs && apart > -renamesNs) return true;
    }
    // Where nothing is signed there is nothing to wait for.
    if (signature === undefined && this.pair !== undefined && this.pair.signature === undefined) return true;
    const age = this.timing.clock() - changed;
    return age >= settledMs || age < -settledMs; // a clock was set back
  }

  private async look(): Promise<PairState> {
    const [summary, signature, directory] = await Promise.all(
      ["summary", "summary.sig", "."].map((name) =>
        stat(join(this.directory, name), { bigint: true }).catch((error: unknown) => {
          if (isAbsent(error)) return undefined;
          throw error;
        }),
      ),
    );
    const changes = [summary?.ctimeNs, signature?.ctimeNs, directory?.mtimeNs].map((ns = 0n) =>
      Number(ns / 1_000_000n),
    );
    return { summary, signature, changed: Math.max(...changes), key: `${keyOf(summary)} ${keyOf(signature)}` };
  }

  private async file(name: string): Promise<SummaryFile | undefined> {
    const path = join(this.directory, name);
    try {
      const { size, mtimeMs } = await stat(path);
      if (size > maxSummaryBytes) {
        throw new StillageError("exhausted", `${name} has ${size} bytes, more than ${maxSummaryBytes}`);
      }
      const bytes = await readFile(path);
      return { bytes, tag: createHash("sha256").update(bytes).digest("hex"), modified: mtimeMs };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }
}

interface PairState {
  readonly summary: BigIntStats | undefined;
  readonly signature: BigIntStats | undefined;
  /** When something about them was changed last, in milliseconds since 1970. */
  readonly changed: number;
  readonly key: string;
}

function keyOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? "-" : `${stats.ino}.${stats.size}.${stats.mtimeNs}.${stats.ctimeNs}`;
}
