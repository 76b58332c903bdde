import type { SweepCounts } from "../../expiry/sweep-counts.ts";
import type { Sweeper } from "../../expiry/sweeper.ts";
import type { Family } from "./family.ts";
import { single } from "./family.ts";

/** What was let go to make room. */
export function sweepFamilies(sweeper: Pick<Sweeper, "counts" | "room">): Family[] {
  const now = (): SweepCounts => sweeper.counts;
  return [
    {
      name: "stillage_sweeps_total",
      type: "counter",
      help: "Sweeps that ended",
      labels: ["outcome"],
      collect: (samples) => {
        samples.value(now().done, "done");
        samples.value(now().failed, "failed");
      },
    },
    single("gauge", "stillage_sweep_running", "1 while a sweep is under way", () => Number(now().running)),
    single("counter", "stillage_sweep_seconds_total", "Time in sweeps that went well", () => now().seconds),
    {
      name: "stillage_sweep_evicted_refs_total",
      type: "counter",
      help: "Names that were let go, by the rule by which: expires, age, size, quota",
      labels: ["space", "instance_name", "rule"],
      collect: (samples) => {
        for (const { space, instance, rule, refs } of now().evicted) samples.value(refs, space, instance, rule);
      },
    },
    single("counter", "stillage_sweep_removed_blobs_total", "Blobs that sweeps removed", () => now().blobs),
    single("counter", "stillage_sweep_removed_bytes_total", "Bytes of blobs that sweeps removed", () => now().bytes),
    single(
      "gauge",
      "stillage_sweep_last_end_timestamp_seconds",
      "When the last sweep ended that went well, in seconds since 1970; 0 before the first",
      () => (now().lastEnded ?? 0) / 1000,
    ),
    {
      name: "stillage_store_mark_bytes",
      type: "gauge",
      help: "From the high mark on room is made, down to the low mark; +Inf where there is no quota",
      labels: ["mark"],
      collect: (samples) => {
        samples.value(sweeper.room?.high ?? Infinity, "high");
        samples.value(sweeper.room?.low ?? Infinity, "low");
      },
    },
  ];
}
