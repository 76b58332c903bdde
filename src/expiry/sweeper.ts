import type { Clock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type Trace, untraced } from "../base/trace.ts";
import type { RefAdmin } from "../store/ref-admin.ts";
import type { ExpirySettings } from "./limits.ts";
import type { SweepReport } from "./report.ts";
import type { Room } from "./room.ts";
import { StoppableSlices } from "./slices.ts";
import { type SweepPoint, type SweptBlobs, sweep } from "./sweep.ts";
import { SweepClock } from "./sweep-clock.ts";
import { type SweepCounts, SweepTally } from "./sweep-counts.ts";

/** For ages, and for refs whose date passes. */
const everyMs = 3_600_000;

/** A server that has just started has other things to do, unless there is no room. */
const afterStartMs = 60_000;

/** How often the clock is looked at, and what the refs take on the disk. */
const lookMs = 60_000;

/** When a sweep is tried again that found nothing to remove although there is no room: leases end all the time, but not that fast. */
const minPauseMs = 1000;
const maxPauseMs = 60_000;
const leasesPerPause = 10;

/** How often the log says that there is nothing to remove. */
const warnEveryMs = 600_000;

/** The store of blobs, as the sweeper sees it. */
export interface SweeperBlobs extends SweptBlobs {
  /** Until it is disposed of, uploads that find no room wait. */
  makingRoom(): Disposable;
  /** Counts the bytes that the refs take. */
  setOtherBytes(bytes: number): void;
}

export interface SweeperOptions {
  readonly blobs: SweeperBlobs;
  readonly refs: RefAdmin;
  readonly settings: ExpirySettings;
  /** `undefined`: there is no quota. */
  readonly room: Room | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly monotonic?: () => number;
  readonly trace?: Trace;
  readonly reach?: (point: SweepPoint) => void;
}

/** Sweeps when there is little room, every hour, and soon after the start; one at a time. */
export class Sweeper {
  private readonly options: SweeperOptions;
  private readonly clock: SweepClock;
  private readonly monotonic: () => number;
  private readonly tally = new SweepTally();
  private readonly stopping = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private retry: NodeJS.Timeout | undefined;
  private running: Promise<SweepReport | undefined> | undefined;
  /** Until then there is nothing to be won by a sweep. */
  private notBefore = Number.NEGATIVE_INFINITY;
  /** Bytes for which there was no room since the last sweep began. */
  private wanted = 0;
  private warned = Number.NEGATIVE_INFINITY;

  constructor(options: SweeperOptions) {
    this.options = options;
    this.monotonic = options.monotonic ?? (() => performance.now());
    const { clock, settings } = options;
    this.clock = new SweepClock({ wall: clock, monotonic: this.monotonic, leaseMs: settings.lease });
  }

  get room(): Room | undefined {
    return this.options.room;
  }

  get counts(): SweepCounts {
    return this.tally;
  }

  /** Begins to look after the store. */
  start(): void {
    const look = (): void => {
      this.clock.observe();
      this.countRefs();
    };
    this.countRefs();
    this.timers.push(
      setInterval(look, lookMs),
      setInterval(() => void this.run(), everyMs),
    );
    this.timers.push(setTimeout(() => void this.run(), afterStartMs));
    for (const timer of this.timers) timer.unref();
  }

  /** There is little room, or none for so many bytes. Where a sweep may change that, uploads wait from now on for it. */
  pressed(wanted = 0): void {
    this.wanted = Math.max(this.wanted, wanted);
    if (this.running !== undefined || this.stopping.signal.aborted) return;
    const pause = this.notBefore - this.monotonic();
    if (pause <= 0) void this.run();
    else this.later(pause);
  }

  /** Sweeps, or waits for the sweep that is under way; `undefined` where it fails, which the log tells. */
  run(): Promise<SweepReport | undefined> {
    if (this.stopping.signal.aborted) return Promise.resolve(undefined);
    const { trace = untraced } = this.options;
    this.running ??= trace("sweep", {}, () => this.sweep()).finally(() => {
      this.running = undefined;
      if (this.short()) this.pressed();
    });
    return this.running;
  }

  /** Ends the sweep that is under way at its next step, and begins no other. */
  async stop(): Promise<void> {
    for (const timer of [...this.timers, this.retry]) clearTimeout(timer);
    this.stopping.abort(new Error("the server stops"));
    await this.running;
  }

  private async sweep(): Promise<SweepReport | undefined> {
    const { blobs, refs, settings, log, clock: wall, reach = () => {} } = this.options;
    const { signal } = this.stopping;
    const { clock } = this;
    using _ = blobs.makingRoom();
    this.tally.running = true;
    try {
      const leave = this.leave();
      const slices = new StoppableSlices(signal);
      const report = await sweep({ blobs, refs, settings, leave, clock, slices, signal, reach });
      this.countRefs();
      this.tally.add(report, wall());
      this.tell(report);
      return report;
    } catch (error) {
      if (signal.aborted) return undefined;
      const { message, cause } = asStillageError(error);
      this.tally.fail(message);
      this.notBefore = this.monotonic() + maxPauseMs;
      log.error(
        { err: cause ?? error },
        "a sweep failed; what has expired is still there, and the next sweep removes it",
      );
      return undefined;
    } finally {
      this.tally.running = false;
    }
  }

  private tell(report: SweepReport): void {
    const { log, settings, room } = this.options;
    const refs = report.evicted.reduce((sum, each) => sum + each.refs, 0);
    const nothing = refs === 0 && report.removed.blobs === 0;
    const { evicted, removed, stayed, bytesBefore, bytesAfter } = report;
    const seconds = Math.round(report.seconds * 1000) / 1000;
    const fields = { refs, evicted, stayed, ...removed, bytesBefore, bytesAfter, seconds };
    log[nothing ? "debug" : "info"](fields, "swept");
    if (!nothing || !this.short()) return;
    this.notBefore = this.monotonic() + Math.min(maxPauseMs, Math.max(minPauseMs, settings.lease / leasesPerPause));
    if (this.monotonic() - this.warned < warnEveryMs) return;
    this.warned = this.monotonic();
    const hint = "raise the quota, shorten the lease, or unpin something";
    log.warn({ bytes: bytesAfter, ...room, hint }, "the store is full of what is pinned or was used within the lease");
  }

  /** Whether there is less room than there should be. */
  private short(): boolean {
    const { blobs, room } = this.options;
    return room !== undefined && (blobs.usage().bytes >= room.high || this.wanted > 0);
  }

  /** Bytes that the next sweep may leave; `undefined`: all. */
  private leave(): number | undefined {
    const { blobs, room } = this.options;
    const { wanted } = this;
    this.wanted = 0;
    if (room === undefined) return undefined;
    // What is larger than the room between the marks is let in as well.
    if (wanted > 0) return Math.max(0, Math.min(room.low, room.quota - wanted));
    return blobs.usage().bytes >= room.high ? room.low : undefined;
  }

  private later(ms: number): void {
    if (this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      if (this.short()) this.pressed();
    }, ms).unref();
  }

  private countRefs(): void {
    const { blobs, refs } = this.options;
    const { bytes, free } = refs.size();
    blobs.setOtherBytes(bytes - free); // what is free there is taken by refs to come
  }
}
