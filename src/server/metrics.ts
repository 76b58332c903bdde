import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { OriginCounts } from "../origin/origin.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { type Admission, bounded } from "./admission.ts";
import type { CallStats } from "./call-stats.ts";

export interface MetricsSources {
  readonly calls: CallStats;
  readonly usage: () => StoreUsage;
  readonly connections: () => number;
  readonly admission: Admission;
  /** Where something is fetched from elsewhere. */
  readonly origin: { counts(): OriginCounts } | undefined;
}

/** Everything that `/metrics` shows. */
export function serverMetrics({ calls, usage, connections, origin, admission }: MetricsSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  calls.register(registry);
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("stillage_rpc_connections", "Open HTTP/2 connections", connections);
  gauge("stillage_store_blobs", "Blobs in the store", () => usage().blobs);
  gauge("stillage_store_used_bytes", "Bytes that the store takes on disk", () => usage().bytes);
  gauge(
    "stillage_store_quota_bytes",
    "The hard limit of the store; +Inf where there is none",
    () => usage().quota ?? Infinity,
  );
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
  if (origin !== undefined) originMetrics(registry, origin);
  return registry;
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
