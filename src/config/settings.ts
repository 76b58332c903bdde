import { resolve } from "node:path";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import { addressIdentity } from "./address.ts";
import { type Check, listOf, listOrNone, orNone, scalar } from "./check.ts";
import type { Config, ListenerConfig } from "./config.ts";
import { filePath } from "./file-path.ts";
import { instanceName } from "./instance-name.ts";
import { limit, maxAgeMs, scopeOf, showLimit } from "./limit.ts";
import { listener, resolveListener } from "./listener.ts";
import { duration, percentage, showDuration, showPercentage, showSize, size } from "./quantity.ts";
import { workerCount } from "./worker-count.ts";

/** One thing that can be set. Files, flags, environment, help and reference all come from this. */
export interface Setting<T> {
  /** Its key in a file; with `--` before it the flag of a setting that has one value. */
  readonly name: string;
  /** The flag and what stands for its value; a list's may be repeated. `undefined` for what is the argument of `serve`. */
  readonly flag: string | undefined;
  /** The environment variable; the values of a list are divided by spaces there. */
  readonly variable: string;
  readonly list: boolean;
  readonly type: string;
  /** What it does, in one sentence. */
  readonly sentence: string;
  /** The default, as a text, or for a list several. */
  readonly fallback: string | readonly string[];
  readonly check: Check<T>;
  /** Makes the paths in a value absolute, seen from a folder: the file's own, or the working directory. */
  readonly locate: (value: T, folder: string) => T;
  /** The value as a file would say it. */
  readonly show: (value: T) => unknown;
}

/** How the names of all environment variables begin. */
export const variablePrefix = "STILLAGE_";

/** Listeners of one process: more than any deployment has, few enough to list. */
const maxListeners = 64;

/** Instances of one process; each keeps an index in memory. */
const maxInstances = 1000;

/** Clients take messages of up to 4 MiB, the default limit of gRPC, and a batch needs some room around its blobs. */
const maxBatchBytes = (4 << 20) - (64 << 10);

/** Less would make a call of its own of nearly every blob. */
const minBatchBytes = 4 << 10;

/** Longer than any call that is worth waiting for. */
const maxGraceMs = 24 * 3_600_000;

/** Longer than any build between its first question and its last push. */
const maxLeaseMs = 365 * 86_400_000;

/** Rules about what is removed: one for each space of some instances. */
const maxLimits = 100;

/** More than a process has files for. */
const maxCount = 1_000_000;

/** Patterns in one list; each is tried for each download. */
const maxHostPatterns = 1000;

/** Longer than any download that somebody waits for. */
const maxOriginMs = 24 * 3_600_000;

/** Years between two looks are as good as none. */
const maxScrubMs = 365 * 24 * 3_600_000;

/** A server that reads an empty store again and again has something else to do, too. */
const minScrubMs = 1000;

const same = <T>(value: T): T => value;

type Description<T> = Pick<Setting<T>, "name" | "type" | "sentence" | "fallback" | "check"> & Partial<Setting<T>>;

function setting<T>(description: Description<T>): Setting<T> {
  const { name, type } = description;
  return {
    flag: `--${name} <${type}>`,
    variable: `${variablePrefix}${name.toUpperCase().replaceAll("-", "_")}`,
    list: false,
    locate: same,
    show: (value) => value ?? "none",
    ...description,
  };
}

function choice<const T extends string>(...words: readonly T[]): Pick<Setting<T>, "type" | "check"> {
  const check = scalar(`one of ${words.join(", ")}`, (text) => words.find((word) => word === text));
  return { type: words.join("|"), check };
}

const optionalFile = {
  type: "FILE|none",
  fallback: "none",
  check: orNone(filePath),
  locate: (path: string | undefined, folder: string) => (path === undefined ? undefined : resolve(folder, path)),
};

/** A number of things of which there should be a few, and cannot be more than a process can hold. */
function count(fallback: number): Pick<Setting<number>, "type" | "fallback" | "check"> {
  const check = scalar(`a number from 1 to ${maxCount}`, (text) => {
    const number = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    return number >= 1 && number <= maxCount ? number : undefined;
  });
  return { type: "NUMBER", fallback: String(fallback), check };
}

const optionalSize = {
  type: "SIZE|none",
  fallback: "none",
  check: orNone(size(1)),
  show: (bytes: number | undefined) => (bytes === undefined ? "none" : showSize(bytes)),
};

const hostPatterns = {
  type: "list of hosts",
  list: true,
  fallback: ["none"],
  check: listOrNone(
    scalar("a host: NAME, *.DOMAIN, ADDRESS or *, with or without :PORT, or ADDRESS/BITS", (text) =>
      text === "none" ? undefined : parseHostPattern(text),
    ),
    maxHostPatterns,
    ({ text }) => text,
  ),
  show: (patterns: readonly HostPattern[]) => (patterns.length === 0 ? "none" : patterns.map(({ text }) => text)),
};

/** Every setting, in the order in which people read about them. */
export const settings: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  store: setting({
    name: "store",
    flag: undefined,
    type: "DIR",
    sentence: "The directory that holds everything; it is made where there is none.",
    fallback: "cache",
    check: filePath,
    locate: (path, folder) => resolve(folder, path),
  }),
  listeners: setting({
    name: "listeners",
    flag: "--listen <SPEC>",
    list: true,
    type: "list of listeners",
    sentence: "Where to listen, and whether pushes are taken there, with which certificates.",
    fallback: ["127.0.0.1:11001"],
    check: listOf(listener, maxListeners, ({ address }) => addressIdentity(address)),
    locate: (listeners, folder) => listeners.map((each) => resolveListener(each, folder)),
    show: (listeners) => listeners.map(showListener),
  }),
  receiveSocket: setting({
    name: "receive-socket",
    ...optionalFile,
    type: "FILE|auto|none",
    locate: (path, folder) => (path === undefined || path === "auto" ? path : resolve(folder, path)),
    sentence:
      "The Unix socket, for the server's own user alone, by which what is pushed over ssh comes in (docs/OSTREE.md); auto is receive.socket in the store's directory.",
    fallback: "auto",
  }),
  instances: setting({
    name: "instances",
    flag: "--instance <NAME>",
    list: true,
    type: "list of names",
    sentence: 'The instance names served, each a cache of its own; "" is for clients that name none.',
    fallback: [""],
    check: listOf(instanceName, maxInstances, same),
  }),
  services: setting({
    name: "services",
    ...choice("all", "index", "storage"),
    sentence:
      "Which half of a cache this is: the index (`--index-only` of bst-artifact-server) has the assets, the storage the blobs and action results.",
    fallback: "all",
  }),
  access: setting({
    name: "access",
    ...optionalFile,
    sentence: "The file that says who may do what (docs/ACCESS.md); without one, everybody may.",
  }),
  accessLog: setting({
    name: "access-log",
    ...optionalFile,
    type: "FILE|stderr|none",
    locate: (path, folder) => (path === undefined || path === "stderr" ? path : resolve(folder, path)),
    sentence: "Where each request is entered: who, what, how much, how long, a line of JSON for each.",
  }),
  releases: setting({
    name: "releases",
    ...optionalFile,
    type: "DIR|none",
    sentence:
      "The directory of the release repositories, whose public files are served at /releases/ (docs/OSTREE.md).",
  }),
  quota: setting({
    name: "quota",
    ...optionalSize,
    sentence:
      "The most bytes that the store may take on the disk. What was not used for longest is removed in time, so that the rest fits (docs/EXPIRY.md).",
  }),
  highMark: setting({
    name: "high-mark",
    type: "PERCENT",
    sentence: "How much of the quota may be taken until something is removed.",
    fallback: "95%",
    check: percentage,
    show: showPercentage,
  }),
  lowMark: setting({
    name: "low-mark",
    type: "PERCENT",
    sentence: "How much of the quota is left then.",
    fallback: "85%",
    check: percentage,
    show: showPercentage,
  }),
  leaseMs: setting({
    name: "lease",
    type: "TIME",
    sentence: "How long what somebody has used, or asked about, is not removed, however little room there is.",
    fallback: "4h",
    check: duration(maxLeaseMs),
    show: showDuration,
  }),
  maxAgeMs: setting({
    name: "max-age",
    type: "TIME|none",
    sentence: "How long after its last use something is removed even where there is room.",
    fallback: "none",
    check: orNone(duration(maxAgeMs)),
    show: (ms: number | undefined) => (ms === undefined ? "none" : showDuration(ms)),
  }),
  limits: setting({
    name: "limits",
    flag: "--limit <RULE>",
    list: true,
    type: "list of rules",
    sentence:
      "What an instance, or one kind of names in it, may have: rules such as instance=NAME,space=action,size=10GiB,age=30d (docs/EXPIRY.md).",
    fallback: ["none"],
    check: listOrNone(limit, maxLimits, scopeOf),
    show: (limits) => (limits.length === 0 ? "none" : limits.map(showLimit)),
  }),
  durability: setting({
    name: "durability",
    ...choice("on", "off"),
    sentence: "Whether a push is acknowledged only once it is on the disk; off may lose pushes when the machine stops.",
    fallback: "on",
  }),
  maxBatchBytes: setting({
    name: "max-batch-bytes",
    type: "SIZE",
    sentence: "The most bytes of blobs in one batch; larger blobs are streamed.",
    fallback: showSize(maxBatchBytes),
    check: size(minBatchBytes, maxBatchBytes, "1MiB"),
    show: showSize,
  }),
  maxBlobBytes: setting({
    name: "max-blob-bytes",
    ...optionalSize,
    sentence: "The largest blob that is taken.",
  }),
  maxConnections: setting({
    name: "max-connections",
    ...count(4096),
    sentence: "The most connections at a time. More are told to try again in a moment, as with all of these limits.",
  }),
  maxClientConnections: setting({
    name: "max-client-connections",
    ...count(1024),
    sentence:
      "The most connections of one address (of IPv6 a /64), this machine's own excepted: behind it may be a proxy.",
  }),
  maxCalls: setting({
    name: "max-calls",
    ...count(8192),
    sentence: "The most calls and HTTP requests in progress; each may bind 256 KiB.",
  }),
  maxClientCalls: setting({
    name: "max-client-calls",
    ...count(2048),
    sentence:
      "The most calls and HTTP requests in progress of one client: an identity, or an address (of IPv6 a /64) other than this machine's that has shown none.",
  }),
  maxUploads: setting({
    name: "max-uploads",
    ...count(1024),
    sentence: "The most uploads of single blobs in progress; each has an open file.",
  }),
  maxClientUploads: setting({
    name: "max-client-uploads",
    ...count(512),
    sentence: "The most uploads of single blobs in progress of one client.",
  }),
  workers: setting({
    name: "workers",
    ...workerCount,
    sentence:
      "How many threads serve connections, beside one for the store; with 1, one does both. auto is one for each processor.",
  }),
  originFetch: setting({
    name: "origin-fetch",
    ...choice("off", "verified", "any"),
    sentence:
      "Whether http and https URIs that nobody has pushed are fetched from where they point to: not at all, with a checksum only, or all (docs/ORIGIN.md).",
    fallback: "off",
  }),
  originAllow: setting({
    name: "origin-allow",
    flag: "--origin-allow <HOST>",
    ...hostPatterns,
    sentence: "Hosts that may be fetched from although they are in a private network, or denied otherwise.",
  }),
  originDeny: setting({
    name: "origin-deny",
    flag: "--origin-deny <HOST>",
    ...hostPatterns,
    sentence: "Hosts that are not fetched from; with *, only those of `origin-allow` are.",
  }),
  originMaxBytes: setting({
    name: "origin-max-bytes",
    type: "SIZE",
    sentence: "The most bytes of one download, and of what an archive holds.",
    fallback: "4GiB",
    check: size(1),
    show: showSize,
  }),
  originTimeoutMs: setting({
    name: "origin-timeout",
    type: "TIME",
    sentence: "How long one download may take, and the unpacking of one archive.",
    fallback: "10m",
    check: duration(maxOriginMs),
    show: showDuration,
  }),
  scrubEveryMs: setting({
    name: "scrub-every",
    type: "TIME|none",
    sentence:
      "The time in which all that is stored is read and compared with its digests, again and again (docs/CHECKS.md).",
    fallback: "14d",
    check: orNone(duration(maxScrubMs, minScrubMs)),
    show: (ms) => (ms === undefined ? "none" : showDuration(ms)),
  }),
  scrubRate: setting({
    name: "scrub-rate",
    type: "SIZE",
    sentence: "The most bytes a second that are read for that.",
    fallback: "20MiB",
    check: size(64 << 10, undefined, "20MiB"),
    show: showSize,
  }),
  graceMs: setting({
    name: "grace",
    type: "TIME",
    sentence: "How long running calls may take to end when the server is told to stop.",
    fallback: "30s",
    check: duration(maxGraceMs),
    show: showDuration,
  }),
  logLevel: setting({
    name: "log-level",
    ...choice("error", "warn", "info", "debug"),
    sentence: "The least important messages that are logged.",
    fallback: "info",
  }),
  logFormat: setting({
    name: "log-format",
    ...choice("auto", "json", "text"),
    sentence: "JSON lines or readable text; auto is text on a terminal and JSON elsewhere.",
    fallback: "auto",
  }),
};

export const settingKeys = Object.keys(settings) as readonly (keyof Config)[];

/** The default as people read it. */
export function showFallback({ fallback }: Setting<unknown>): string {
  return typeof fallback === "string" ? fallback : fallback.map((each) => each || '""').join(" ");
}

function showListener({ address, push, tls }: ListenerConfig): object {
  if (tls === undefined) return { address, push };
  const { certificate, key, clientCertificates, clientAuth } = tls;
  const clients =
    clientCertificates === undefined ? {} : { "client-certificates": clientCertificates, "client-auth": clientAuth };
  return { address, push, tls: { certificate, key, ...clients } };
}
