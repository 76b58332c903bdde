import { Counter, collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import type { OriginCounts } from "../origin/origin.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import type { Admission } from "./admission.ts";
import { bounded } from "./admission-counts.ts";
import type { CallStats } from "./call-stats.ts";

/** Where something is fetched from elsewhere. */
type OriginSource = { counts(): OriginCounts } | undefined;

export interface StoreMetricsSources {
  readonly usage: () => StoreUsage;
  readonly origin: OriginSource;
}

export interface DoorMetricsSources {
  readonly calls: CallStats;
  readonly connections: () => number;
  readonly admission: Admission;
}

/** What `/metrics` shows of the process and of what there is once. */
export function storeMetrics(registry: Registry, { usage, origin }: StoreMetricsSources): void {
  collectDefaultMetrics({ register: registry });
  const gauge = gaugesOf(registry);
  gauge("stillage_store_blobs", "Blobs in the store", () => usage().blobs);
  gauge("stillage_store_used_bytes", "Bytes that the store takes on disk", () => usage().bytes);
  gauge(
    "stillage_store_quota_bytes",
    "The hard limit of the store; +Inf where there is none",
    () => usage().quota ?? Infinity,
  );
  if (origin !== undefined) originMetrics(registry, origin);
}

/** What `/metrics` shows of the doors: those of several threads add up. */
export function doorMetrics(registry: Registry, { calls, connections, admission }: DoorMetricsSources): void {
  calls.register(registry);
  const gauge = gaugesOf(registry);
  gauge("stillage_rpc_connections", "Open HTTP/2 connections", connections);
  gauge("stillage_server_calls", "Calls and HTTP requests in progress", () => admission.current("calls"));
  gauge("stillage_server_uploads", "Uploads in progress", () => admission.current("uploads"));
  new Counter({
    name: "stillage_server_refused_total",
    help: "What was refused because there was too much of it, by limit",
    labelNames: ["limit"],
    registers: [registry],
    collect() {
      this.reset();
      for (const kind of bounded) this.inc({ limit: kind }, admission.refused(kind));
    },
  });
}

function gaugesOf(registry: Registry) {
  return (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
}

function originMetrics(registry: Registry, origin: { counts(): OriginCounts }): void {
  new Counter({
    name: "stillage_origin_downloads_total",
    help: "Downloads from origins that ended, by outcome",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(origin.counts().downloads)) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: "stillage_origin_bytes_total",
    help: "Bytes of downloads from origins that were stored",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(origin.counts().bytes);
    },
  });
  new Gauge({
    name: "stillage_origin_downloads_running",
    help: "Downloads from origins under way",
    registers: [registry],
    collect() {
      this.set(origin.counts().running);
    },
  });
}
