import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../base/clock.ts";
import type { SweepCounts } from "../expiry/sweep-counts.ts";
import type { RefAdmin } from "../store/ref-admin.ts";

/** Shows what sweeps do, and what refs there are. */
export function sweepMetrics(
  registry: Registry,
  sweeper: { readonly counts: SweepCounts },
  refs: Pick<RefAdmin, "groups">,
  clock: Clock,
): void {
  const registers = [registry];
  const counter = (name: string, help: string, value: (counts: SweepCounts) => number): void => {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(value(sweeper.counts));
      },
    });
  };
  new Counter({
    name: "stillage_sweeps_total",
    help: "Sweeps that ended, by outcome",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      this.inc({ outcome: "done" }, sweeper.counts.done);
      this.inc({ outcome: "failed" }, sweeper.counts.failed);
    },
  });
  counter("stillage_sweep_seconds_total", "Time that sweeps took", ({ seconds }) => seconds);
  new Gauge({
    name: "stillage_sweep_running",
    help: "1 while a sweep is under way",
    registers,
    collect() {
      this.set(sweeper.counts.running ? 1 : 0);
    },
  });
  new Gauge({
    name: "stillage_sweep_last_end_timestamp_seconds",
    help: "When the last sweep ended well; 0 before the first",
    registers,
    collect() {
      this.set((sweeper.counts.lastEnded ?? 0) / 1000);
    },
  });
  new Counter({
    name: "stillage_eviction_refs_total",
    help: "Refs that were evicted, by instance, kind of name, and the rule that took them",
    labelNames: ["instance", "space", "rule"],
    registers,
    collect() {
      this.reset();
      for (const { refs: count, ...labels } of sweeper.counts.evicted) this.inc(labels, count);
    },
  });
  counter("stillage_eviction_blobs_total", "Blobs that were removed by sweeps", ({ blobs }) => blobs);
  counter("stillage_eviction_bytes_total", "Bytes on disk of the blobs that sweeps removed", ({ bytes }) => bytes);
  new Gauge({
    name: "stillage_eviction_oldest_use_seconds",
    help: "How long ago the ref was used that was not for longest, by instance and kind of name; pinned ones left out",
    labelNames: ["instance", "space"],
    registers,
    collect() {
      this.reset();
      const now = clock();
      for (const { instance, space, oldestUse } of refs.groups()) {
        if (oldestUse !== undefined) this.set({ instance, space }, Math.max(0, now - oldestUse) / 1000);
      }
    },
  });
}
