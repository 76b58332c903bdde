import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { StoreUsage } from "../store/blob-store.ts";
import { type Admission, bounded } from "./admission.ts";
import type { CallStats } from "./call-stats.ts";

export interface MetricsSources {
  readonly calls: CallStats;
  readonly usage: () => StoreUsage;
  readonly connections: () => number;
  readonly admission: Admission;
}

/** Everything that `/metrics` shows. */
export function serverMetrics({ calls, usage, connections, admission }: MetricsSources): Registry {
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
  return registry;
}
