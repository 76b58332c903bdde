import type { HostPattern } from "../base/host-pattern.ts";
import type { LimitSettings } from "../server/admission.ts";
import type { LimitConfig } from "./limit.ts";

/** PEM files of a listener; absolute paths. */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  /** Certificates that sign, or are, those of clients. */
  readonly clientCertificates: string | undefined;
  /** With `clientCertificates`: whether a client needs one. */
  readonly clientAuth: "required" | "optional";
}

/** One address to listen on, and what it is for. */
export interface ListenerConfig {
  /** `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` with an absolute path, or `systemd:NAME`. Port 0 is any free one. */
  readonly address: string;
  readonly push: boolean;
  readonly tls: TlsConfig | undefined;
}

export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogFormat = "auto" | "json" | "text";

/** Everything that can be set, checked: sizes in bytes, times in milliseconds, absolute paths. */
export interface Config extends LimitSettings {
  readonly store: string;
  /** At least one; no address twice. */
  readonly listeners: readonly ListenerConfig[];
  /** Where programs of the store's user reach the server: a path, `auto`, or nowhere. */
  readonly receiveSocket: string | undefined;
  /** At least one; each once. "" is the instance of clients that name none. */
  readonly instances: readonly string[];
  readonly services: "all" | "index" | "storage";
  /** The file that says who may do what; without it everybody may. */
  readonly access: string | undefined;
  /** Where requests are logged: a file, `stderr`, or nowhere. */
  readonly accessLog: string | undefined;
  /** The directory of the release repositories. */
  readonly releases: string | undefined;
  readonly quota: number | undefined;
  /** Percents of the quota; the low one is below the high one. */
  readonly highMark: number;
  readonly lowMark: number;
  readonly leaseMs: number;
  readonly maxAgeMs: number | undefined;
  /** No two for the same instance and space; may be empty. */
  readonly limits: readonly LimitConfig[];
  readonly durability: "on" | "off";
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
  /** Threads that serve connections; 1: the one of the store does. */
  readonly workers: number;
  readonly originFetch: "off" | "verified" | "any";
  /** Each once; may be empty. */
  readonly originAllow: readonly HostPattern[];
  readonly originDeny: readonly HostPattern[];
  readonly originMaxBytes: number;
  readonly originTimeoutMs: number;
  /** `undefined`: stored blobs are not read again. */
  readonly scrubEveryMs: number | undefined;
  /** Bytes a second. */
  readonly scrubRate: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}
