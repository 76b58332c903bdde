import type { HandedOver } from "../../store/threads/lent-upload.ts";
import type { Reading } from "../metrics/meters.ts";
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

/** What a worker answers the thread of the store. */
export interface DoorAnswers {
  /** Waits until it listens. Errors: those of `openDoors`. */
  opened(): Promise<readonly RunningListener[]>;
  recallUpload(number: number): Promise<HandedOver | undefined>;
  doorMetrics(): Reading[];
  reload(): Promise<void>;
  close(graceMs: number): Promise<void>;
}
