import { StillageError } from "../base/errors.ts";
import type { HostPattern } from "../base/host-pattern.ts";
import type { Log } from "../base/log.ts";
import type { Trace } from "../base/trace.ts";
import { Origin } from "../origin/origin.ts";
import type { DiskStore } from "../store/disk/open-store.ts";
import type { Part } from "./services.ts";

/** Whether and what the server fetches by itself: docs/ORIGIN.md. */
export interface OriginSettings {
  /** `verified`: only what comes with a checksum. */
  readonly originFetch: "off" | "verified" | "any";
  readonly originAllow: readonly HostPattern[];
  readonly originDeny: readonly HostPattern[];
  readonly originMaxBytes: number;
  readonly originTimeoutMs: number;
}

export interface OriginParts extends OriginSettings {
  readonly services: Part;
  readonly maxBlobBytes: number | undefined;
  readonly version: string;
}

/** What fetches, as it was set; `undefined` where nothing is to be fetched. Errors: `failed-precondition` where there is no place for what comes. */
export function openOrigin(parts: OriginParts, store: DiskStore, log: Log, trace: Trace): Origin | undefined {
  const { originFetch: mode, originAllow: allow, originDeny: deny, originTimeoutMs: timeoutMs } = parts;
  if (mode === "off") return undefined;
  if (parts.services !== "all") {
    throw new StillageError("failed-precondition", `origin-fetch is ${mode}, and services is ${parts.services}`, {
      hint: "only a server with all services has both the names and the blobs of what it fetches",
    });
  }
  const maxBytes = Math.min(parts.originMaxBytes, parts.maxBlobBytes ?? Number.POSITIVE_INFINITY);
  return new Origin({
    rules: { mode, allow, deny, maxBytes, timeoutMs },
    staging: (instance) => store.tenant(instance),
    userAgent: `stillage/${parts.version}`,
    log,
    trace,
  });
}
