import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Digest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { asStillageError, type ErrorCode, StillageError } from "../base/errors.ts";
import type { HostPattern } from "../base/host-pattern.ts";
import type { Log } from "../base/log.ts";
import type { Asset, AssetQuery } from "../cache/asset-index.ts";
import type { Qualifier } from "../cache/asset-name.ts";
import type { Tenant } from "../cache/tenant.ts";
import { PushBlobRequestSchema } from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import type { BlobStaging } from "../store/blob-staging.ts";
import { unpack } from "./archive/unpack.ts";
import { deadlineAfter } from "./deadline.ts";
import { download } from "./download.ts";
import { type FetchQualifiers, readQualifiers } from "./fetch-qualifiers.ts";
import { Flights } from "./flights.ts";
import { type Resolve, systemResolve } from "./host-rules.ts";
import { httpGet } from "./http-get.ts";
import type { RequestRules } from "./http-request.ts";
import { isWebUri, type OriginUrl, parseOriginUrl, showUrl } from "./origin-url.ts";

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
}

export interface OriginAsset extends Found {
  /** Those that say what was meant: none that carries credentials. */
  readonly qualifiers: readonly Qualifier[];
}

/** One fetch, understood. */
interface Plan {
  readonly tenant: Tenant;
  readonly query: OriginQuery;
  readonly qualifiers: FetchQualifiers;
  readonly urls: readonly { readonly uri: string; readonly url: OriginUrl; readonly index: number }[];
}

/** What has been done since the start. */
export interface OriginCounts {
  readonly downloads: Readonly<Record<"stored" | "failed", number>>;
  readonly bytes: number;
  readonly running: number;
}

/** What an asset is, or will be. */
type Found = Pick<Asset, "uri" | "digest"> & Partial<Pick<Asset, "stored" | "expires">>;

/**
 * Fetches from the web what nobody has pushed (remote_asset.proto, Fetch). Each thing is asked of its origin once: what came is an asset,
 * under its URI and the qualifiers that say which content is meant, and whoever asks meanwhile waits for the same download.
 */
export class Origin {
  private readonly options: OriginOptions;
  private readonly get: RequestRules;
  private readonly downloads: Flights<Found>;
  private readonly unpacking: Flights<Digest>;
  private stored = 0;
  private failed = 0;
  private bytes = 0;

  constructor(options: OriginOptions) {
    this.options = options;
    const { rules, userAgent, authorities, resolve = systemResolve } = options;
    this.get = { rules: { allow: rules.allow, deny: rules.deny, resolve }, userAgent, authorities };
    const { timeoutMs } = rules;
    this.downloads = new Flights({ slots: maxDownloads, maxWaiting, timeoutMs });
    this.unpacking = new Flights({ slots: maxUnpacking, maxWaiting, timeoutMs });
  }

  counts(): OriginCounts {
    const { stored, failed, bytes } = this;
    return { downloads: { stored, failed }, bytes, running: this.downloads.running };
  }

  /**
   * The first of the query's http and https URIs that gives what is meant; `undefined` where there are none such.
   * Errors: `invalid` for qualifiers that are not understood; the others as remote_asset.proto has them: `not-found`, `forbidden`,
   * `aborted`, `deadline`, `unavailable`, `exhausted`, and `failed-precondition` for what this cache does not take.
   */
  async fetch(tenant: Tenant, query: OriginQuery): Promise<OriginAsset | undefined> {
    if (!query.uris.some(isWebUri)) return undefined;
    const qualifiers = readQualifiers(query.kind, query.uris, query.qualifiers);
    const urls = query.uris.flatMap((uri, index) => (isWebUri(uri) ? [{ uri, url: parseOriginUrl(uri), index }] : []));
    const { timeoutMs } = query;
    using timer =
      timeoutMs === undefined ? undefined : deadlineAfter(timeoutMs, `the fetch took longer than ${timeoutMs} ms`);
    const signal = timer === undefined ? query.signal : AbortSignal.any([query.signal, timer.signal]);
    const plan: Plan = { tenant, query: { ...query, signal }, qualifiers, urls };
    const found = await (query.kind === "blob" ? this.blob(plan) : this.directory(plan));
    return { ...found, qualifiers: qualifiers.identity ?? [] };
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.downloads.close(), this.unpacking.close()]);
  }

  private async blob(plan: Plan): Promise<Found> {
    const known = (await this.assetOf("blob", plan)) ?? (await this.known(plan));
    if (known !== undefined) return known;
    const { tenant, query, qualifiers } = plan;
    const { integrity, identity, headers } = qualifiers;
    if (integrity === undefined && this.options.rules.mode === "verified") {
      const description = "this cache fetches only what comes with a checksum";
      throw new StillageError("invalid", `checksum.sri is missing: ${description}`, {
        violations: [{ field: "qualifiers.checksum.sri", description }],
      });
    }
    const fn = query.function ?? sha256;
    const sent = plan.urls.map(({ uri, index }) => [uri, [...(headers[index] ?? [])]]);
    const key = JSON.stringify([tenant.name, fn.name, integrity, identity && namesOf("blob", identity), sent]);
    return await this.downloads.join(key, (signal) => this.download(plan, signal), query.signal);
  }

  private async directory(plan: Plan): Promise<Found> {
    const stored = await this.assetOf("directory", plan);
    if (stored !== undefined) return stored;
    const { tenant, query, qualifiers } = plan;
    const { directory } = qualifiers;
    const archive = await this.blob(plan);
    const { digest } = archive;
    const key = JSON.stringify([tenant.name, digest.function.name, digest.hash, digest.size, directory]);
    const root = await this.unpacking.join(
      key,
      (signal) => this.unpack(tenant, digest, directory, signal),
      query.signal,
    );
    // No newer, and with no longer to live, than the archive.
    const found = { ...archive, digest: root };
    await this.keep("directory", plan, found);
    return found;
  }

  /** What an earlier fetch has left, or a push under the same name. */
  private async assetOf(
    kind: "blob" | "directory",
    { tenant, query, qualifiers, urls }: Plan,
  ): Promise<Found | undefined> {
    const { identity } = qualifiers;
    if (identity === undefined) return undefined;
    const key = { kind, uris: urls.map(({ uri }) => uri), qualifiers: namesOf(kind, identity) };
    return tenant.assets.find({ ...key, function: query.function, oldest: query.oldest });
  }

  /** A blob that the store has under the very checksum, wherever it came from; not where its name counts as well, or its age. */
  private async known({ tenant, query, qualifiers, urls }: Plan): Promise<Found | undefined> {
    const { integrity, canonicalId } = qualifiers;
    const fn = query.function ?? sha256;
    const [first] = urls;
    if (first === undefined || integrity?.function !== fn.name) return undefined;
    if (canonicalId !== undefined || query.oldest !== undefined) return undefined;
    for (const hash of integrity.hashes) {
      const size = await tenant.blobs.sizeOf(fn, hash);
      if (size !== undefined) return { uri: first.uri, digest: { function: fn, hash, size } };
    }
    return undefined;
  }

  /** Asks one URL after the other, and keeps what the first of them gives. */
  private async download(plan: Plan, signal: AbortSignal): Promise<Found> {
    const failures: StillageError[] = [];
    for (const { uri, url, index } of plan.urls) {
      try {
        const digest = await this.downloadOne(plan, url, index, signal);
        const found = { uri, digest };
        await this.keep("blob", plan, found);
        return found;
      } catch (error) {
        const failure = asStillageError(error);
        if (signal.aborted || !ofOrigin.includes(failure.code)) throw error;
        failures.push(failure);
      }
    }
    throw summary(failures);
  }

  private async downloadOne({ tenant, query, qualifiers }: Plan, url: OriginUrl, index: number, signal: AbortSignal) {
    const { rules, staging, log } = this.options;
    const started = performance.now();
    const from = showUrl(url);
    try {
      const headers = qualifiers.headers[index] ?? new Map();
      const source = await httpGet(url, headers, signal, this.get);
      const digest = await download(source, {
        blobs: tenant.blobs,
        staging: staging(tenant.name),
        function: query.function ?? sha256,
        integrity: qualifiers.integrity,
        maxBytes: rules.maxBytes,
        signal,
      });
      this.stored++;
      this.bytes += digest.size;
      const ms = Math.round(performance.now() - started);
      log.info({ from, instance: tenant.name, blob: digest.hash, bytes: digest.size, ms }, "fetched from its origin");
      return digest;
    } catch (error) {
      this.failed++;
      const { code, message } = asStillageError(error);
      log.info({ from, instance: tenant.name, code }, `not fetched from its origin: ${message}`);
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

  /**
   * Makes an asset of what was found. With a checksum in its name it stands for every URI of the fetch; without one for that alone which gave
   * it: of the others only the client says that they are the same. A crash before this leaves a blob that a later fetch by its checksum finds.
   */
  private async keep(kind: "blob" | "directory", plan: Plan, found: Found): Promise<void> {
    const { uri, digest, stored, expires } = found;
    const { tenant, qualifiers, urls } = plan;
    if (qualifiers.identity === undefined) return;
    const uris = qualifiers.integrity === undefined ? [uri] : urls.map((each) => each.uri);
    const named = namesOf(kind, qualifiers.identity);
    const message = create(PushBlobRequestSchema, {
      instanceName: tenant.name,
      uris,
      qualifiers: named.map(({ name, value }) => ({ name, value })),
      blobDigest: { hash: digest.hash, sizeBytes: BigInt(digest.size) },
      digestFunction: digest.function.value,
      ...(expires === undefined ? {} : { expireAt: timestampFromMs(expires) }),
    });
    const bytes = toBinary(PushBlobRequestSchema, message);
    await tenant.assets.store({
      kind,
      uris,
      qualifiers: named,
      digest,
      references: [],
      expires,
      ...(stored === undefined ? {} : { stored }),
      message: bytes,
    });
  }
}

/** An archive is the same whichever of its directories is wanted. */
function namesOf(kind: "blob" | "directory", identity: readonly Qualifier[]): readonly Qualifier[] {
  return kind === "directory" ? identity : identity.filter(({ name }) => name !== "directory");
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

function summary(failures: readonly StillageError[]): StillageError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const code = ofOrigin.find((each) => failures.some((failure) => failure.code === each)) ?? "internal";
  return new StillageError(code, failures.map(({ message }) => message).join("; "), { cause: first });
}
