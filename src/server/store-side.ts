import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { untraced } from "../base/trace.ts";
import { type OpenCache, openCache } from "../cache/open-cache.ts";
import { recallUpload } from "../cache/upload-desk.ts";
import { Uploads } from "../cache/uploads.ts";
import type { Scrubber, ScrubCounts } from "../check/scrubber.ts";
import type { Sweeper } from "../expiry/sweeper.ts";
import type { Origin } from "../origin/origin.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { AccessFile } from "./access-file.ts";
import { CommitDesks } from "./commit-desks.ts";
import { openSweeper } from "./expiry-options.ts";
import type { StatusReport } from "./http/pages.ts";
import { commitFamilies } from "./metrics/commit-metrics.ts";
import { compactionFamilies } from "./metrics/compaction-metrics.ts";
import { exposition } from "./metrics/exposition.ts";
import { infoFamilies } from "./metrics/info-metrics.ts";
import { addedUp, Meters, type Reading } from "./metrics/meters.ts";
import { originFamilies } from "./metrics/origin-metrics.ts";
import { processMetrics } from "./metrics/process-metrics.ts";
import { refFamilies } from "./metrics/ref-metrics.ts";
import { scrubFamilies } from "./metrics/scrub-metrics.ts";
import { storeFamilies } from "./metrics/store-metrics.ts";
import { sweepFamilies } from "./metrics/sweep-metrics.ts";
import { openOrigin } from "./origin-options.ts";
import { openScrubber } from "./scrub.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Shelves } from "./stock.ts";
import { openTracing } from "./tracing/tracing.ts";

/** What a server has once, however many threads have its doors: what is kept, and everything that looks after it. */
export class StoreSide implements AsyncDisposable {
  readonly cache: OpenCache;
  readonly shelves: Shelves;
  readonly commits: CommitDesks;
  readonly uploads: Uploads;
  readonly origin: Origin | undefined;
  readonly accessFile: AccessFile | undefined;
  /** The metrics of what is here. */
  readonly meters = new Meters();
  private readonly process = processMetrics();
  private readonly options: ServerOptions;
  private readonly sweeper: Sweeper;
  private readonly scrubber: Scrubber | undefined;
  private readonly parts: AsyncDisposableStack;
  private readonly started = systemClock();

  /** Opens the store. What was opened is closed again, in reverse order, when a later step fails. */
  static async open(options: ServerOptions, log: Log): Promise<StoreSide> {
    await using opened = new AsyncDisposableStack();
    const { durability, quota, leaseMs, accessLog } = options;
    const clock = systemClock;
    const tracing = openTracing(options.version);
    opened.defer(() => tracing?.close());
    const accessFile = accessLog === undefined ? undefined : await AccessFile.open(accessLog, clock, log);
    if (accessFile !== undefined) opened.defer(() => accessFile.close());
    const cache = await openCache(options.store, { durability, quota, leaseMs, clock, log });
    opened.defer(() => cache.close());
    const trace = tracing?.trace ?? untraced;
    const sweeper = openSweeper(options, cache, { clock, log, trace });
    opened.defer(() => sweeper.stop());
    const scrubber = openScrubber(options, cache.store, log);
    opened.defer(() => scrubber?.close());
    const commits = new CommitDesks(options, cache, () => scrubber?.counts().rotten ?? 0, log);
    opened.defer(() => commits.close());
    const uploads = new Uploads(clock, recallUpload);
    opened.defer(() => uploads.stop());
    const origin = openOrigin(options, cache.store, log, trace);
    opened.defer(() => origin?.close());
    sweeper.start();
    return new StoreSide({ options, cache, sweeper, scrubber, commits, uploads, origin, accessFile }, opened.move());
  }

  private constructor(
    made: Pick<StoreSide, "cache" | "commits" | "uploads" | "origin" | "accessFile"> & {
      readonly options: ServerOptions;
      readonly sweeper: Sweeper;
      readonly scrubber: Scrubber | undefined;
    },
    parts: AsyncDisposableStack,
  ) {
    const { cache, origin, sweeper, scrubber } = made;
    const { store, refs, refAdmin } = cache;
    this.options = made.options;
    this.cache = cache;
    this.commits = made.commits;
    this.uploads = made.uploads;
    this.origin = origin;
    this.sweeper = sweeper;
    this.scrubber = scrubber;
    this.accessFile = made.accessFile;
    this.shelves = { blobs: (instance) => store.tenant(instance), refs, removals: () => store.removals() };
    this.parts = parts;
    this.meters.add([
      ...infoFamilies(made.options),
      ...storeFamilies({
        directory: made.options.store,
        usage: () => this.usage(),
        byInstance: () => store.usageByTenant(),
      }),
      ...refFamilies(refAdmin),
      ...commitFamilies(() => [...made.commits.all].map(([instance, each]) => [instance, each.counts()] as const)),
      ...sweepFamilies(sweeper),
      ...compactionFamilies(() => store.compactions()),
      ...scrubFamilies(() => scrubber?.counts(), made.options.scrubEveryMs),
      ...originFamilies(origin),
    ]);
  }

  /** What `/metrics` shows, with what the doors of other threads say. */
  async metrics(doors: readonly (readonly Reading[])[] = []): Promise<string> {
    return exposition(addedUp([this.meters.read(), ...doors])) + (await this.process.metrics());
  }

  usage(): StoreUsage {
    const { reclaimable: _, ...usage } = this.cache.store.usage();
    return usage;
  }

  /** What `/status` tells, but for the listeners. */
  status(): StatusReport {
    const { version, services, durability, instances, workers } = this.options;
    return {
      program: "stillage",
      version,
      uptimeSeconds: Math.round((systemClock() - this.started) / 1000),
      services,
      durability,
      instances: instances.length,
      workers,
      store: this.usage(),
      refs: this.cache.refAdmin.size(),
      ostree: ostreeReport(this.commits),
      releases: this.options.releases ?? null,
      sweep: sweepReport(this.sweeper),
      scrub: this.scrubber === undefined ? null : scrubReport(this.scrubber.counts()),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.parts.disposeAsync();
  }
}

/** What `/status` tells of the caches of BuildStream 1.0, by instance: of each as it was when somebody asked for its summary last. */
function ostreeReport({ all }: CommitDesks): StatusReport {
  return Object.fromEntries(
    [...all].map(([instance, each]) => {
      const { listed, leftOut, damaged, summaryBytes } = each.counts();
      return [instance, { listed, leftOut, damaged, summaryBytes }];
    }),
  );
}

/** What `/status` tells of expiry. */
function sweepReport({ room, counts }: Sweeper): StatusReport {
  const { done, failed, running, blobs, bytes, seconds, lastEnded, lastError = null } = counts;
  const marks = { highMark: room?.high ?? null, lowMark: room?.low ?? null };
  return { ...marks, done, failed, running, blobs, bytes, seconds, lastEnded: timeOf(lastEnded), lastError };
}

/** What `/status` tells of the reading again. */
function scrubReport({ lastEnded, ...counts }: ScrubCounts): StatusReport {
  return { ...counts, lastEnded: timeOf(lastEnded) };
}

function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
