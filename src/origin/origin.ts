import { type Clock, systemClock } from "../base/clock.ts";
import type { Digest } from "../base/digest.ts";
import { asStillageError, type ErrorCode, StillageError } from "../base/errors.ts";
import type { HostPattern } from "../base/host-pattern.ts";
import type { Log } from "../base/log.ts";
import { type Trace, untraced } from "../base/trace.ts";
import type { AssetQuery } from "../cache/asset-index.ts";
import type { Qualifier } from "../cache/asset-name.ts";
import type { Tenant } from "../cache/tenant.ts";
import type { BlobStaging } from "../store/blob-staging.ts";
import { unpack } from "./archive/unpack.ts";
import { deadlineAfter } from "./deadline.ts";
import { download } from "./download.ts";
import { type FetchPlan, keyOfDownload, namesOf, planFetch, planLookup } from "./fetch-plan.ts";
import { type Found, fetchedAsset, keepAsset, knownBlob, pushedAsset } from "./fetched-assets.ts";
import { Flights } from "./flights.ts";
import { type Resolve, systemResolve } from "./host-rules.ts";
import { httpGet } from "./http-get.ts";
import type { RequestRules } from "./http-request.ts";
import { showUrl } from "./origin-url.ts";

/** Downloads at the same time, over all clients: each may fill a good part of the network, and holds half a megabyte. */
export const maxDownloads = 8;

/** Archives unpacked at the same time: each keeps a processor busy. */
export const maxUnpacking = 2;

/** Fetches that wait for their turn. */
const maxWaiting = 1000;

/** What the operator has set. */
export interface OriginRules {
  /** `verified`: only what comes with a checksum. */
  readonly mode: "verified" | "any";
  readonly allow: readonly HostPattern[];
  readonly deny: readonly HostPattern[];
  /** The most bytes of a download, and of what an archive holds. */
  readonly maxBytes: number;
  /** The time that a download, and the unpacking after it, may take each. */
  readonly timeoutMs: number;
}

export interface OriginOptions {
  readonly rules: OriginRules;
  /** Where blobs of unknown digest go, for an instance name. */
  readonly staging: (instance: string) => BlobStaging;
  readonly userAgent: string;
  readonly log: Log;
  /** Hears of downloads. */
  readonly trace?: Trace;
  readonly clock?: Clock;
  readonly resolve?: Resolve;
  /** PEM of authorities to trust in place of the system's. */
  readonly authorities?: string;
}

/** A fetch, as a client asks for it. */
export interface OriginQuery extends AssetQuery {
  /** Aborted once nobody waits for the answer. */
  readonly signal: AbortSignal;
  /** How long this caller waits, in milliseconds; `undefined`: until its call ends. */
  readonly timeoutMs: number | undefined;
  /** By whom this is counted, so that he leaves room for others; `undefined`: one who stands for many. */
  readonly client: string | undefined;
  /** The id of the request, for the log. */
  readonly request: string;
}

/** Who waits for it, besides. */
type Waiter = Pick<OriginQuery, "signal" | "client" | "request">;

export interface OriginAsset extends Found {
  /** Those that say what was meant: none that carries credentials. */
  readonly qualifiers: readonly Qualifier[];
}

/** What has been done since the start. */
export interface OriginCounts {
  readonly downloads: Readonly<Record<"stored" | "failed", number>>;
  readonly bytes: number;
  readonly running: number;
}

/** What is here without asking anybody: pushed, fetched before, or stored under its checksum. It is for all who may pull. Errors: `invalid`. */
export async function findHere(tenant: Tenant, query: AssetQuery): Promise<OriginAsset | undefined> {
  const plan = planLookup(tenant, query);
  const pushed = plan === undefined ? await tenant.assets.find(query) : await pushedAsset(plan);
  if (pushed !== undefined) return { ...pushed, qualifiers: query.qualifiers };
  if (plan === undefined) return undefined;
  const found = (await fetchedAsset(query.kind, plan)) ?? (query.kind === "blob" ? await knownBlob(plan) : undefined);
  return found && { ...found, qualifiers: plan.qualifiers.identity ?? [] };
}

/**
 * Fetches from the web what nobody has pushed (remote_asset.proto, Fetch). Each thing is asked of its origin once: what came is an asset,
 * under its URI and the qualifiers that say which content is meant, and whoever asks meanwhile waits for the same download.
 */
export class Origin {
  private readonly options: OriginOptions;
  private readonly get: RequestRules;
  private readonly clock: Clock;
  private readonly downloads: Flights<Found>;
  private readonly unpacking: Flights<Digest>;
  private stored = 0;
  private failed = 0;
  private bytes = 0;

  constructor(options: OriginOptions) {
    this.options = options;
    const { rules, userAgent, authorities, clock = systemClock, resolve = systemResolve } = options;
    this.get = { rules: { allow: rules.allow, deny: rules.deny, resolve }, userAgent, authorities };
    this.clock = clock;
    const { timeoutMs } = rules;
    this.downloads = new Flights({ slots: maxDownloads, maxWaiting, timeoutMs, clock });
    this.unpacking = new Flights({ slots: maxUnpacking, maxWaiting, timeoutMs, clock });
  }

  counts(): OriginCounts {
    const { stored, failed, bytes } = this;
    return { downloads: { stored, failed }, bytes, running: this.downloads.running };
  }

  /** See `findHere`. */
  find(tenant: Tenant, query: AssetQuery): Promise<OriginAsset | undefined> {
    return findHere(tenant, query);
  }

  /**
   * The first of the query's http and https URIs that gives what is meant; `undefined` where there are none such.
   * Errors: `invalid` for qualifiers that are not understood; the others as remote_asset.proto has them: `not-found`, `forbidden`,
   * `aborted`, `deadline`, `unavailable`, `exhausted`, and `failed-precondition` for what this cache does not take.
   */
  async fetch(tenant: Tenant, query: OriginQuery): Promise<OriginAsset | undefined> {
    const plan = planFetch(tenant, query);
    if (plan === undefined) return undefined;
    const { timeoutMs, client, request } = query;
    using timer =
      timeoutMs === undefined ? undefined : deadlineAfter(timeoutMs, `the fetch took longer than ${timeoutMs} ms`);
    const signal = timer === undefined ? query.signal : AbortSignal.any([query.signal, timer.signal]);
    const waiter = { signal, client, request };
    const found = await (query.kind === "blob" ? this.blob(plan, waiter) : this.directory(plan, waiter));
    return { ...found, qualifiers: plan.qualifiers.identity ?? [] };
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.downloads.close(), this.unpacking.close()]);
  }

  private async blob(plan: FetchPlan, waiter: Waiter): Promise<Found> {
    const known = (await fetchedAsset("blob", plan)) ?? (await knownBlob(plan));
    if (known !== undefined) return known;
    if (plan.qualifiers.integrity === undefined && this.options.rules.mode === "verified") {
      const description = "this cache fetches only what comes with a checksum";
      throw new StillageError("invalid", `checksum.sri is missing: ${description}`, {
        violations: [{ field: "qualifiers.checksum.sri", description }],
      });
    }
    const passenger = { ...waiter, notBefore: plan.query.oldest };
    const work = (signal: AbortSignal): Promise<Found> => this.download(plan, waiter.request, signal);
    return await this.downloads.join(keyOfDownload(plan), work, passenger);
  }

  private async directory(plan: FetchPlan, waiter: Waiter): Promise<Found> {
    const there = await fetchedAsset("directory", plan);
    if (there !== undefined) return there;
    const { tenant, qualifiers, urls } = plan;
    const archive = await this.blob(plan, waiter);
    const { digest, uri, stored, expires } = archive;
    // What it is kept as is part of it: it is kept, too, where nobody waits any more.
    const names = namesOf("directory", plan);
    const keptAs = names && [names, uri, urls.map((each) => each.uri), stored, expires];
    const key = JSON.stringify([
      tenant.name,
      digest.function.name,
      digest.hash,
      digest.size,
      qualifiers.directory,
      keptAs,
    ]);
    const work = async (signal: AbortSignal): Promise<Digest> => {
      const root = await this.unpack(tenant, digest, qualifiers.directory, signal);
      // No newer, and with no longer to live, than the archive.
      await keepAsset("directory", plan, { ...archive, digest: root });
      return root;
    };
    return { ...archive, digest: await this.unpacking.join(key, work, waiter) };
  }

  /** Asks one URL after the other, and keeps what the first of them gives. `request`: who was the first to want it. */
  private async download(plan: FetchPlan, request: string, signal: AbortSignal): Promise<Found> {
    const failures: StillageError[] = [];
    for (const place of plan.urls) {
      const stored = this.clock(); // it is as old as the question
      try {
        const found = { uri: place.uri, digest: await this.downloadOne(plan, request, place, signal), stored };
        await keepAsset("blob", plan, found);
        return found;
      } catch (error) {
        const failure = asStillageError(error);
        if (signal.aborted || !ofOrigin.includes(failure.code)) throw error;
        failures.push(failure);
      }
    }
    throw summary(failures);
  }

  private async downloadOne(
    plan: FetchPlan,
    request: string,
    { url, index }: FetchPlan["urls"][number],
    signal: AbortSignal,
  ): Promise<Digest> {
    const { tenant, qualifiers } = plan;
    const { rules, staging, log } = this.options;
    const started = performance.now();
    const trace = this.options.trace ?? untraced;
    const about = { request, from: showUrl(url), instance: tenant.name };
    try {
      const digest = await trace("download", { "server.address": url.host }, async () => {
        const headers = qualifiers.headers[index] ?? new Map();
        const source = await httpGet(url, headers, signal, this.get);
        return await download(source, {
          blobs: tenant.blobs,
          staging: staging(tenant.name),
          function: plan.function,
          integrity: qualifiers.integrity,
          maxBytes: rules.maxBytes,
          signal,
        });
      });
      this.stored++;
      this.bytes += digest.size;
      const ms = Math.round(performance.now() - started);
      log.info({ ...about, blob: digest.hash, bytes: digest.size, ms }, "fetched from its origin");
      return digest;
    } catch (error) {
      this.failed++;
      const { code, message } = asStillageError(error);
      log.info({ ...about, code }, `not fetched from its origin: ${message}`);
      throw error;
    }
  }

  private async unpack(
    tenant: Tenant,
    digest: Digest,
    directory: readonly string[],
    signal: AbortSignal,
  ): Promise<Digest> {
    const archive = await tenant.blobs.open(digest);
    if (archive === undefined) throw new StillageError("unavailable", "the archive has just been removed");
    try {
      const { maxBytes } = this.options.rules;
      const staging = this.options.staging(tenant.name);
      return await unpack(archive, { blobs: tenant.blobs, staging, maxBytes, directory, signal });
    } finally {
      archive.close();
    }
  }
}

/**
 * What one origin fails by and another may not, what is worth trying again first: that is what a fetch is told of which all have failed.
 */
const ofOrigin: readonly ErrorCode[] = [
  "unavailable",
  "deadline",
  "aborted",
  "forbidden",
  "failed-precondition",
  "not-found",
];

/** More failures than these are not worth listing: the answer has to fit into headers. */
const maxShown = 8;

function summary(failures: readonly StillageError[]): StillageError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const code = ofOrigin.find((each) => failures.some((failure) => failure.code === each)) ?? "internal";
  const shown = failures.slice(0, maxShown).map(({ message }) => message);
  if (failures.length > maxShown) shown.push(`and ${failures.length - maxShown} more`);
  return new StillageError(code, shown.join("; "), { cause: first });
}
