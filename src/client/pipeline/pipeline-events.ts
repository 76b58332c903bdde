import type { StillageError } from "../../base/errors.ts";

/** In the order in which elements pass them. */
export const queueNames = ["pull", "fetch", "build", "push"] as const;
export type QueueName = (typeof queueNames)[number];

/** What came of an element; each that is in the graph comes to exactly one. */
export type ElementOutcome =
  /** Nothing that was asked for needs it. */
  | { readonly kind: "unneeded" }
  /** It was in the local cache. */
  | { readonly kind: "present" }
  | { readonly kind: "pulled" }
  | { readonly kind: "built" }
  /** Its build failed, now or (`cached`) earlier. */
  | { readonly kind: "failed"; readonly why: StillageError; readonly cached: boolean }
  /** It cannot be built because `by` failed. */
  | { readonly kind: "blocked"; readonly by: string }
  /** The run ended before its turn, or while it was its turn. */
  | { readonly kind: "stopped" };

/** What came of pushing an element. */
export type PushResult = "pushed" | "present" | "skipped" | "failed" | "left";

/** What came of a job. Skipped is what had nothing to do: an artifact that is here already is not pulled, one that no server lacks not pushed, sources that are here not fetched. */
export type JobResult = "processed" | "skipped" | "missing" | "failed" | "stopped";

/** What happens, when it does. `at` is milliseconds of the monotonic clock. */
export type PipelineEvent = { readonly at: number } & (
  | { readonly kind: "queued"; readonly queue: QueueName; readonly element: string }
  /** `attempt` counts from 1. */
  | { readonly kind: "started"; readonly queue: QueueName; readonly element: string; readonly attempt: number }
  | {
      readonly kind: "ended";
      readonly queue: QueueName;
      readonly element: string;
      readonly result: JobResult;
      readonly why?: StillageError;
    }
  | {
      readonly kind: "retrying";
      readonly queue: QueueName;
      readonly element: string;
      readonly afterMs: number;
      readonly why: StillageError;
    }
  | { readonly kind: "settled"; readonly element: string; readonly outcome: ElementOutcome }
  /** Nothing more is begun; of `quit` pushes are. */
  | { readonly kind: "ending"; readonly how: "quit" | "terminate" | "stop" | "abort" }
);
