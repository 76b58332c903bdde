import { relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { showDigest } from "../base/digest.ts";
import type { Log } from "../base/log.ts";
import { Slices } from "../base/slices.ts";
import { entryLength } from "../store/batch-entry.ts";
import { inFile } from "../store/disk/digest-index.ts";
import { closeFile, openFile, readFully } from "../store/disk/file-io.ts";
import type { OpenShelf } from "../store/disk/open-store.ts";
import { type Broken, Quarantine } from "./quarantine.ts";
import { ScrubPace, scrubRate } from "./scrub-pace.ts";
import { loadScrubState, type ScrubPosition, type ScrubState, saveScrubState } from "./scrub-state.ts";
import { isThere, type Placed, ScrubWalk, type Verdict, type WalkVisitor } from "./scrub-walk.ts";
import { largeBytes } from "./stored-blobs.ts";
import { Unreadable } from "./unreadable.ts";

/** Where it is is written down this often: what a restart may read again. */
const saveEveryMs = 60_000;

/** Between rounds somebody looks this often whether a blob that could not be read is to be tried again. */
const lookEveryMs = 60_000;

export interface ScrubberOptions {
  /** The store's directory, and what is open of it. */
  readonly directory: string;
  readonly shelves: () => OpenShelf[];
  /** Everything is read once in this time. */
  readonly everyMs: number;
  /** Bytes a second, at most. */
  readonly maxRate: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly timer?: ScrubTimer;
}

/** How it waits. */
export interface ScrubTimer {
  /** Milliseconds on a clock that only goes forward. */
  now(): number;
  /** Rejects when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const realTimer: ScrubTimer = {
  now: () => performance.now(),
  wait: async (ms, signal) => delay(ms, undefined, { signal, ref: false }),
};

/** What it has done since the start; times in milliseconds since 1970. */
export interface ScrubCounts {
  readonly bytes: number;
  readonly blobs: number;
  readonly rotten: number;
  readonly readErrors: number;
  readonly damagedIndexes: number;
  /** The part of the current round that is done; 1 between rounds. */
  readonly progress: number;
  readonly lastEnded: number | undefined;
}

/**
 * Reads all of a running store within a set time, again and again, and compares it with its digests. What is rotten goes to the quarantine and out of the index, so
 * that it is missing and clients bring it again. It counts as no use of a blob, and passes the page cache by.
 */
export class Scrubber {
  private readonly options: ScrubberOptions;
  private readonly timer: ScrubTimer;
  private readonly stopping = new AbortController();
  private readonly walk: ScrubWalk;
  private readonly pace: ScrubPace;
  private readonly quarantine: Quarantine;
  private readonly unreadable: Unreadable;
  private state: ScrubState;
  private total = 0;
  private saved = 0;
  private bytes = 0;
  private blobs = 0;
  private rotten = 0;
  private damagedIndexes = 0;
  private readonly running: Promise<void>;

  constructor(options: ScrubberOptions) {
    this.options = options;
    this.timer = options.timer ?? realTimer;
    const { directory, clock, log } = options;
    const { timer } = this;
    this.pace = new ScrubPace({ now: () => timer.now(), wait: (ms) => timer.wait(ms, this.stopping.signal) });
    this.walk = new ScrubWalk((bytes) => this.toll(bytes));
    this.quarantine = new Quarantine(directory, clock);
    this.unreadable = new Unreadable(log);
    this.state = loadScrubState(directory);
    this.running = this.run().catch((error: unknown) => {
      if (!this.stopping.signal.aborted) log.error({ err: error }, "the scrubber ended by an error of its own");
    });
  }

  counts(): ScrubCounts {
    const { bytes, blobs, rotten, damagedIndexes, state, total } = this;
    const progress = state.started === undefined ? 1 : total === 0 ? 0 : Math.min(1, state.passed / total);
    const readErrors = this.unreadable.errors;
    return { bytes, blobs, rotten, readErrors, damagedIndexes, progress, lastEnded: state.lastEnded };
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.save();
  }

  /** Errors are logged, and it goes on where it was a minute later; it ends when the signal is aborted. */
  private async run(): Promise<void> {
    for (;;) {
      try {
        await this.step();
      } catch (error) {
        this.stopping.signal.throwIfAborted();
        this.options.log.error({ err: error }, "the scrubber met an error, and goes on in a minute");
        await this.timer.wait(lookEveryMs, this.stopping.signal);
      }
    }
  }

  private async step(): Promise<void> {
    const now = this.options.clock();
    const { started, lastStarted = Number.NEGATIVE_INFINITY } = this.state;
    // A clock that went back must not have it wait for years.
    const due = started !== undefined || lastStarted > now ? now : lastStarted + this.options.everyMs;
    if (due > now) await this.idle(due - now);
    else await this.round();
  }

  private async idle(ms: number): Promise<void> {
    await this.timer.wait(Math.min(ms, lookEveryMs), this.stopping.signal);
    await this.tryAgain();
  }

  /** One round, or what is left of it. */
  private async round(): Promise<void> {
    const { clock, directory, log } = this.options;
    const begins = this.state.started === undefined || this.state.started > clock();
    if (begins) {
      this.state = { ...this.state, started: clock(), position: undefined, passed: 0 };
      this.unreadable.beginRound();
    }
    this.total = await this.bytesInAll();
    if (begins) this.warnOfHaste();
    const from = this.state.position;
    const before = this.rotten;
    const keyed = this.options.shelves().map((shelf) => ({ shelf, key: relative(directory, shelf.directory) }));
    for (const { shelf, key } of keyed.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      if (from === undefined || key >= from.shelf) await this.walk.shelf(shelf, key, from, this.visitor());
    }
    const lastEnded = clock();
    this.state = { ...this.state, started: undefined, position: undefined, lastStarted: this.state.started, lastEnded };
    await this.save();
    if (this.total > 0)
      log.info(
        { bytes: this.total, rotten: this.rotten - before },
        "all blobs were read and compared with their digests",
      );
  }

  private warnOfHaste(): void {
    const { everyMs, maxRate, log } = this.options;
    const needed = Math.ceil((this.total / everyMs) * 1000);
    if (needed <= maxRate) return;
    const what = { bytes: this.total, rate: maxRate, needed };
    log.warn(what, "at scrub-rate the store cannot be read in the time of scrub-every: raise either");
  }

  private visitor(): WalkVisitor {
    return {
      blob: (blob, verdict) => this.judge(blob, verdict),
      damagedIndex: (path) => {
        this.damagedIndexes++;
        this.options.log.error({ path }, "an index file is damaged on the disk; the next start makes it anew");
      },
      passed: (position, bytes) => this.passed(position, bytes),
    };
  }

  private async passed(position: ScrubPosition, bytes: number): Promise<void> {
    this.state = { ...this.state, position, passed: this.state.passed + bytes };
    await this.tryAgain();
    if (this.timer.now() - this.saved > saveEveryMs) await this.save();
  }

  private async judge(blob: Placed, verdict: Verdict): Promise<void> {
    this.blobs++;
    if (verdict.kind === "rotten") await this.drop(blob, verdict.reason);
    else if (verdict.kind === "unreadable") this.unreadable.failed(blob, verdict.error, this.timer.now());
  }

  /** Looks again at blobs that could not be read, when it is their time; what stays unreadable is dropped. */
  private async tryAgain(): Promise<void> {
    for (const blob of this.unreadable.due(this.timer.now())) {
      const verdict = await this.walk.again(blob);
      if (verdict.kind !== "unreadable") {
        this.unreadable.settled(blob);
        await this.judge(blob, verdict);
      } else if (this.unreadable.failed(blob, verdict.error, this.timer.now())) {
        await this.drop(blob, `it could not be read three times: ${verdict.error.code}`);
      }
    }
  }

  /**
   * Keeps the bytes, then removes the blob. A crash between the two leaves a blob that is found rotten again, and its bytes twice in
   * the quarantine.
   */
  private async drop(blob: Placed, reason: string): Promise<void> {
    if (!isThere(blob)) return;
    const { log, directory } = this.options;
    const { shelf, digest, place, offset, path } = blob;
    const file = relative(directory, path);
    const broken: Broken = { instance: shelf.instance, digest, file, offset: place === inFile ? 0 : offset, reason };
    try {
      if (place === inFile) await this.quarantine.keepFile(broken, path);
      else await this.quarantine.keepBytes(broken, await readRecord(blob));
    } catch (error) {
      log.warn({ err: error, blob: showDigest(digest) }, "a broken blob could not be kept in the quarantine");
    }
    try {
      if (!(await shelf.shelf.drop(digest, place, offset))) return;
    } catch (error) {
      log.error({ err: error, blob: showDigest(digest) }, "cannot note on the disk that a broken blob is dropped");
    }
    this.rotten++;
    const { instance } = shelf;
    const what = {
      blob: showDigest(digest),
      function: digest.function.name,
      instance,
      file,
      offset: broken.offset,
      reason,
    };
    log.error(what, "a blob is broken on the disk; it is quarantined, and missing until a client brings it again");
  }

  private async toll(bytes: number): Promise<void> {
    this.stopping.signal.throwIfAborted();
    const { everyMs, clock, maxRate } = this.options;
    const left = (this.state.started ?? clock()) + everyMs - clock();
    await this.pace.spend(bytes, scrubRate(this.total - this.state.passed, left, maxRate));
    this.bytes += bytes;
  }

  private async bytesInAll(): Promise<number> {
    const slices = new Slices();
    let sum = 0;
    for (const { shelf } of this.options.shelves()) {
      for (const pack of shelf.packs.all()) sum += pack.end;
      sum += await largeBytes(shelf.index, slices);
    }
    return sum;
  }

  /** What cannot be saved is saved the next time: a restart reads a little more again then. */
  private async save(): Promise<void> {
    const { directory, log } = this.options;
    this.saved = this.timer.now();
    await saveScrubState(directory, this.state).catch((error: unknown) =>
      log.warn({ err: error }, "cannot write down how far the scrubber is"),
    );
  }
}

/** The bytes of a record as they are; `undefined` where they cannot be read. */
async function readRecord({ path, digest, offset }: Placed): Promise<Uint8Array | undefined> {
  const bytes = Buffer.alloc(entryLength(digest.function, digest.size));
  try {
    const fd = await openFile(path, "r");
    try {
      return bytes.subarray(0, await readFully(fd, bytes, offset));
    } finally {
      await closeFile(fd);
    }
  } catch {
    return undefined;
  }
}
