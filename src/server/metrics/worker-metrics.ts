import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Family, single } from "./family.ts";

/** How exactly the delay of an event loop is measured, in milliseconds. */
const resolution = 20;

export interface WorkerFacts {
  readonly running: number;
  readonly restarts: number;
  /** Those that did not answer when they were asked for their metrics. */
  readonly silent: number;
}

/** How the workers of a server are. */
export function poolFamilies(now: () => WorkerFacts): Family[] {
  return [
    single("gauge", "stillage_workers", "Workers that run", () => now().running),
    single("gauge", "stillage_workers_silent", "Workers that did not tell their metrics in time", () => now().silent),
    single(
      "counter",
      "stillage_worker_restarts_total",
      "Workers that were started again after they had ended",
      () => now().restarts,
    ),
  ];
}

/** How the thread is that asks, a worker with a number. */
export function workerFamilies(number: number): Family[] {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  return [
    {
      name: "stillage_worker_eventloop_lag_p99_seconds",
      type: "gauge",
      help: "The 99th percentile of the event loop delays of a worker since it was last asked",
      labels: ["worker"],
      collect: (samples) => {
        samples.value(delay.count === 0 ? 0 : delay.percentile(99) / 1e9, String(number));
        delay.reset();
      },
    },
  ];
}
