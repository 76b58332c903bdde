import type { Metric } from "prom-client";
import type { HandedOver } from "../../store/threads/lent-upload.ts";
import type { RunningListener, ServerOptions } from "../server-options.ts";
import type { SharedCountsMemory } from "./shared-counts.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly options: ServerOptions;
  /** From 1. */
  readonly number: number;
  readonly counts: SharedCountsMemory;
  /** An Int32: how often the store has removed something. */
  readonly removals: SharedArrayBuffer;
}

/** One metric with its values, as prom-client gives it to whoever adds several up. */
export type PlainMetric = Awaited<ReturnType<Metric["get"]>>;

/** What a worker answers the thread of the store. */
export interface DoorAnswers {
  /** Waits until it listens. Errors: those of `openDoors`. */
  opened(): Promise<readonly RunningListener[]>;
  recallUpload(number: number): Promise<HandedOver | undefined>;
  doorMetrics(): Promise<PlainMetric[]>;
  reload(): Promise<void>;
  close(graceMs: number): Promise<void>;
}
