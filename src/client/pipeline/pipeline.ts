import type { StillageError } from "../../base/errors.ts";
import type { ElementOutcome, PipelineEvent, PushResult, QueueName } from "./pipeline-events.ts";
import type { PipelineElement, PipelineGraph } from "./pipeline-graph.ts";
import { PipelineRun } from "./pipeline-run.ts";

/** What came of looking for an artifact. `failedBuild` says why the build that it is of failed: it is there, and of no use. */
export type PullOutcome =
  | { readonly kind: "present" | "pulled"; readonly failedBuild?: StillageError | undefined }
  | { readonly kind: "missing" };

/** What came of a build. `kept`: the failed build has left an artifact, which tells others that there is no use in trying. */
export type BuildOutcome =
  | { readonly kind: "built" }
  | { readonly kind: "failed"; readonly why: StillageError; readonly kept: boolean };

/** Where a builder says how far it is. */
export interface BuildReport<E> {
  /** Its turn has come within its group. */
  started(element: E): void;
  ended(element: E, outcome: BuildOutcome): void;
}

/** Monotonic time in milliseconds, and waiting for it; `wait` rejects where the signal says so. */
export interface PipelineTime {
  now(): number;
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** What to do when a build fails, as `bst` has it: begin nothing more but pushes; go on with whatever does not need it; end everything that runs. */
export type OnError = "quit" | "continue" | "terminate";

export interface PipelineOptions<E extends PipelineElement> {
  readonly graph: PipelineGraph<E>;
  /** What is wanted. The rest is looked for once something that needs it has to be built. */
  readonly asked: Iterable<string>;
  /** Whether it is here, or can be had from anywhere. An error is no failure of the element: it is built. */
  pull(element: E, signal: AbortSignal): Promise<PullOutcome>;
  /**
   * Gets what the element is made of from wherever that is, beside waiting for what it is built with; it is built once that has ended. An error is no failure of the element: the build finds out. From `ending` on nothing
   * more is to be begun: what has not begun by then rejects with its reason.
   */
  readonly fetch?:
    | ((element: E, signal: AbortSignal, ending: AbortSignal) => Promise<"fetched" | "present">)
    | undefined;
  /** Whether there is anything to be fetched; for all where it is not given. */
  fetches?(element: E): boolean;
  /**
   * Builds elements one after the other, in an order in which each comes after those that it needs, and without those that need one that failed; more than one only where `together` allows. What
   * it has not reported when it settles has failed, with the error that it rejects with; but where the signal ended it, it was not built.
   */
  build(elements: readonly E[], report: BuildReport<E>, signal: AbortSignal): Promise<void>;
  /** What this gives for elements that may be built in one go is equal; `undefined` for those that may not. For what takes less time than starting a builder. */
  together?(element: E): string | undefined;
  /** `undefined` where nothing is pushed. */
  readonly push: ((element: E, signal: AbortSignal) => Promise<"pushed" | "present" | "skipped">) | undefined;
  /** How many jobs of each queue run at once; a group that is built together is one. */
  readonly widths: Readonly<Record<QueueName, number>>;
  /** Tries after the first one, of pulls, fetches and pushes. */
  readonly retries: number;
  readonly onError: OnError;
  /** How long a build of an element may take, in any unit: what is on the longest chain comes first. One for each where it is not given. */
  cost?(element: E): number;
  /** Nothing more is begun. */
  readonly stop: AbortSignal;
  /** What runs is ended, too: each job's signal. */
  readonly abort: AbortSignal;
  readonly time: PipelineTime;
  /** 0 to 1, for the waits between tries. */
  random(): number;
  events(event: PipelineEvent): void;
}

export interface PipelineResult {
  /** Of every element in the graph. */
  readonly outcomes: ReadonlyMap<string, ElementOutcome>;
  /** Of those that there was something to push of. */
  readonly pushes: ReadonlyMap<string, PushResult>;
  /** Whether it was ended before everything had its turn, and by what. */
  readonly ended: "quit" | "terminate" | "stop" | "abort" | undefined;
}

/**
 * Takes elements through four queues that run beside each other: each is pulled if it can be; on a miss its sources are fetched, and it is built as soon as all is there that it is built with; and whatever
 * is there is pushed behind that. Knows nothing of BuildStream or servers. Never rejects but for a fault of its own: failures are outcomes.
 */
export function runPipeline<E extends PipelineElement>(options: PipelineOptions<E>): Promise<PipelineResult> {
  return new PipelineRun(options).run();
}
