import { setTimeout as wait } from "node:timers/promises";
import { asStillageError, StillageError } from "../../base/errors.ts";
import { Callbacks } from "../callbacks.ts";
import type { OnError, PipelineOptions, PipelineResult, PipelineTime, PullOutcome } from "../pipeline/pipeline.ts";
import type { PipelineEvent, QueueName } from "../pipeline/pipeline-events.ts";
import { type PipelineElement, PipelineGraph } from "../pipeline/pipeline-graph.ts";
import { PipelineRun } from "../pipeline/pipeline-run.ts";

/** A pipeline with a builder of one's own. */
export interface PipelineRequest<E extends PipelineElement> {
  /** All elements with all that they depend on; each name once. */
  readonly elements: readonly E[];
  /** Names of those that are wanted; all of them unless they are given. The others are looked for once something that needs them has to be built. */
  readonly asked?: Iterable<string> | undefined;
  /** Whether an element is here, or can be had from anywhere. To reject is no failure of the element: it is built. Without this, everything is built. */
  readonly pull?: ((element: E, signal: AbortSignal) => Promise<PullOutcome>) | undefined;
  /** Gets what an element is made of from wherever that is, while it still waits for what it needs; it is built once that has ended. To reject is no failure of the element: its build finds out. */
  readonly fetch?: ((element: E, signal: AbortSignal) => Promise<void>) | undefined;
  /** Builds one element; all that it needs is there. Where it rejects, the element has failed, and what needs it is left out. */
  readonly build: (element: E, signal: AbortSignal) => Promise<void>;
  /** Pushes what was pulled or built. Without this, nothing is pushed. */
  readonly push?: ((element: E, signal: AbortSignal) => Promise<"pushed" | "present" | "skipped">) | undefined;
  /** How many elements are pulled, fetched, built and pushed at a time: 10, 10, 4 and 4 unless they are given. */
  readonly widths?: Partial<Readonly<Record<QueueName, number>>> | undefined;
  /** Tries after the first one, of pulls, fetches and pushes that fail with what passes (`unavailable`, `deadline`, `aborted`): 2 unless it is given. */
  readonly retries?: number | undefined;
  /** After a failed build: `quit` begins nothing more but pushes, `continue` goes on with what does not need it, `terminate` ends all. `quit` unless it is given. */
  readonly onError?: OnError | undefined;
  /** How long a build may take, in any unit: what is on the longest chain comes first. All the same unless it is given. */
  readonly cost?: ((element: E) => number) | undefined;
  /** Begins nothing more, and lets what runs come to its end. */
  readonly stop?: AbortSignal | undefined;
  /** Ends what runs as well. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: PipelineEvent) => void) | undefined;
}

const usualWidths = { pull: 10, fetch: 10, build: 4, push: 4 } as const;
const usualRetries = 2;

const time: PipelineTime = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
};

/**
 * Takes elements through queues that run beside each other: each is pulled if it can be; on a miss what it is made of is fetched, and it is built as soon as all is there that it needs; and whatever is there is
 * pushed behind that. Failures of elements, and being stopped, are outcomes. Errors: `invalid` for a dependency that is not among the elements, `not-found` for one that is asked for and is not; what `onEvent` throws.
 */
export async function runPipeline<E extends PipelineElement>(request: PipelineRequest<E>): Promise<PipelineResult> {
  const { elements, asked, pull, fetch, build, push, cost, onEvent } = request;
  const never = new AbortController().signal;
  const callbacks = new Callbacks();
  const abort = AbortSignal.any([request.signal ?? never, callbacks.signal]);
  const options: PipelineOptions<E> = {
    graph: new PipelineGraph(elements),
    asked: asked ?? elements.map(({ name }) => name),
    pull: async (element, signal) => pull?.(element, signal) ?? { kind: "missing" },
    fetch:
      fetch &&
      (async (element, signal) => {
        await fetch(element, signal);
        return "fetched";
      }),
    async build(group, report, signal) {
      for (const element of group) {
        report.started(element);
        try {
          await build(element, signal);
          report.ended(element, { kind: "built" });
        } catch (error) {
          // It was stopped, and has not failed.
          if (signal.aborted) throw error;
          report.ended(element, { kind: "failed", why: failureOf(element, error), kept: false });
        }
      }
    },
    push: push && ((element, signal) => push(element, signal)),
    widths: { ...usualWidths, ...request.widths },
    retries: request.retries ?? usualRetries,
    onError: request.onError ?? "quit",
    ...(cost && { cost }),
    ...{ stop: request.stop ?? never, abort, time, random: Math.random },
    events: callbacks.safe(onEvent),
  };
  return callbacks.during(async () => new PipelineRun<E>(options).run());
}

/** What a builder rejects with is told as it says it. */
function failureOf({ name }: PipelineElement, error: unknown): StillageError {
  if (error instanceof StillageError || !(error instanceof Error)) return asStillageError(error);
  return new StillageError("failed-precondition", `${name}: ${error.message}`, { cause: error });
}
