import type { Family } from "./family.ts";
import { single } from "./family.ts";

/** What sweeps have done since the start. */
export interface SweepFacts {
  readonly done: number;
  readonly failed: number;
  readonly running: boolean;
  /** Refs, by their kind and the rule by which they went. */
  readonly evicted: readonly {
    readonly space: string;
    readonly instance: string;
    readonly rule: string;
    readonly refs: number;
  }[];
  readonly blobs: number;
  readonly bytes: number;
  /** In sweeps, all together. */
  readonly seconds: number;
  /** When the last one ended that went well, in milliseconds since 1970; `undefined` before that. */
  readonly lastEnded: number | undefined;
}

/** From how many bytes on the disk on room is made, and how many are left then. */
export interface Marks {
  readonly high: number;
  readonly low: number;
}

const none: SweepFacts = {
  done: 0,
  failed: 0,
  running: false,
  evicted: [],
  blobs: 0,
  bytes: 0,
  seconds: 0,
  lastEnded: undefined,
};

/** What was let go to make room; zeros where nothing is. `marks` is `undefined` where there is no quota. */
export function sweepFamilies(source: () => SweepFacts | undefined, marks: Marks | undefined): Family[] {
  const now = (): SweepFacts => source() ?? none;
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
        samples.value(marks?.high ?? Infinity, "high");
        samples.value(marks?.low ?? Infinity, "low");
      },
    },
  ];
}
