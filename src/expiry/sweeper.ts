import type { Clock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type Trace, untraced } from "../base/trace.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { largestUpload } from "../store/largest-upload.ts";
import type { RefAdmin } from "../store/ref-admin.ts";
import type { ExpirySettings } from "./limits.ts";
import type { SweepReport } from "./report.ts";
import type { Room } from "./room.ts";
import { StoppableSlices } from "./slices.ts";
import { type SweepPoint, type SweptBlobs, sweep } from "./sweep.ts";
import { SweepClock } from "./sweep-clock.ts";
import { type SweepCounts, SweepTally } from "./sweep-counts.ts";
import { shownUnread } from "./unread.ts";

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

/** How often the log says that there is nothing to remove, or what cannot be read. */
const warnEveryMs = 600_000;

/** Blobs that the log names. */
const unreadShown = 10;

/** What a sweep is to reach. */
interface Aim {
  /** Bytes that may stay; `undefined`: all. */
  readonly leave: number | undefined;
  /** Bytes that may stay where `leave` is out of reach. */
  readonly atWorst?: number;
  /** Bytes for which there was no room. */
  readonly wanted: number;
  /** There is no room for them even then, until other uploads have ended. */
  readonly hopeless: boolean;
}

/** The store of blobs, as the sweeper sees it. */
export interface SweeperBlobs extends SweptBlobs {
  /** `bytes` that are none of the others are promised to uploads. */
  usage(): Pick<StoreUsage, "bytes" | "live" | "dead" | "others"> & ReturnType<SweptBlobs["usage"]>;
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
  private warnedOfUnread = Number.NEGATIVE_INFINITY;

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
      const aim = this.aim();
      const slices = new StoppableSlices(signal);
      const report = await sweep({ blobs, refs, settings, ...aim, clock, slices, signal, reach });
      this.countRefs();
      this.tally.add(report, wall());
      this.tell(report, aim);
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

  private tell(report: SweepReport, aim: Aim): void {
    const { log, settings, room } = this.options;
    const refs = report.evicted.reduce((sum, each) => sum + each.refs, 0);
    const nothing = refs === 0 && report.removed.blobs === 0;
    const { evicted, removed, stayed, bytesBefore, bytesAfter } = report;
    const seconds = Math.round(report.seconds * 1000) / 1000;
    const fields = { refs, evicted, stayed, ...removed, bytesBefore, bytesAfter, seconds };
    log[nothing ? "debug" : "info"](fields, "swept");
    this.tellOfUnread(report);
    const full = room !== undefined && bytesAfter >= room.high;
    const refused = aim.wanted > 0 && (report.unmet || aim.hopeless);
    if (!full && !refused) return;
    // Where there is nothing more to be had, there will not be before some leases or uploads have ended; else, sweeps do not follow each other without a break.
    const stuck = refused || report.unmet || nothing;
    const untilLeasesEnd = Math.min(maxPauseMs, Math.max(minPauseMs, settings.lease / leasesPerPause));
    const pause = aim.hopeless ? minPauseMs : stuck ? untilLeasesEnd : 0;
    this.notBefore = this.monotonic() + Math.max(pause, Math.min(maxPauseMs, report.seconds * 1000));
    if (!stuck || this.monotonic() - this.warned < warnEveryMs) return;
    this.warned = this.monotonic();
    const hint = "raise the quota, shorten the lease, or unpin something";
    log.warn({ bytes: bytesAfter, ...room, hint }, "the store is full of what is pinned, leased or being uploaded");
  }

  private tellOfUnread({ unread }: SweepReport): void {
    if (unread.length === 0 || this.monotonic() - this.warnedOfUnread < warnEveryMs) return;
    this.warnedOfUnread = this.monotonic();
    const blobs = unread.slice(0, unreadShown).map(shownUnread);
    const hint = "look at the disk; `stillage store fsck` finds all that is damaged";
    this.options.log.error(
      { blobs, hint },
      "what names other blobs cannot be read: blobs that no ref is seen to reach stay for its sake",
    );
  }

  /** Whether there is less room than there should be. */
  private short(): boolean {
    const { blobs, room } = this.options;
    return room !== undefined && (blobs.usage().bytes >= room.high || this.wanted > 0);
  }

  /** What the next sweep is to reach. What is only announced and does not come, may not cost much of what is there: at least half of the quota stays, beside it. */
  private aim(): Aim {
    const { blobs, room } = this.options;
    const { wanted } = this;
    this.wanted = 0;
    if (room === undefined) return { leave: undefined, wanted: 0, hopeless: false };
    const { quota, high, low } = room;
    const { bytes, live, dead, others } = blobs.usage();
    const promised = Math.max(0, bytes - live - dead - others);
    const least = Math.min(low, largestUpload(quota)) + promised;
    if (wanted === 0) return { leave: bytes >= high ? Math.max(least, low) : undefined, wanted, hopeless: false };
    // What is larger than the room between the marks is let in as well.
    const leave = Math.max(least, Math.min(low, quota - wanted));
    return { leave, atWorst: Math.max(least, low), wanted, hopeless: leave + wanted > quota };
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
