import type { HostPattern } from "../base/host-pattern.ts";
import type { LimitSettings } from "../server/admission.ts";

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
  /** At least one; each once. "" is the instance of clients that name none. */
  readonly instances: readonly string[];
  readonly services: "all" | "index" | "storage";
  /** The file that says who may do what; without it everybody may. */
  readonly access: string | undefined;
  /** Where requests are logged: a file, `stderr`, or nowhere. */
  readonly accessLog: string | undefined;
  readonly quota: number | undefined;
  readonly durability: "on" | "off";
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
  readonly originFetch: "off" | "verified" | "any";
  /** Each once; may be empty. */
  readonly originAllow: readonly HostPattern[];
  readonly originDeny: readonly HostPattern[];
  readonly originMaxBytes: number;
  readonly originTimeoutMs: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}
