import type { ElementOutcome, PushResult, QueueName } from "./pipeline-events.ts";
import type { PipelineElement } from "./pipeline-graph.ts";
import { ReadyQueue } from "./ready-queue.ts";

/** Where an element is on its way. */
export interface PipelineItem<E> {
  readonly element: E;
  readonly index: number;
  /** The longest chain of builds that may wait for it. */
  readonly rank: number;
  /** Whether anything that is wanted needs it. */
  needed: boolean;
  outcome: ElementOutcome | undefined;
  push: PushResult | undefined;
  /** Of what it is built with, how many are not there. */
  lacking: number;
  /** Whether it is built in one go with what it lacks. */
  taken: boolean;
  /** Those that wait for it to be there. */
  readonly waiters: PipelineItem<E>[];
}

/** One of the three, with what waits and how much runs. */
export interface PipelineQueue<E> {
  readonly name: QueueName;
  readonly ready: ReadyQueue<PipelineItem<E>>;
  running: number;
  /** Waiting for their next try. */
  delayed: number;
}

export function queueOf<E>(name: QueueName): PipelineQueue<E> {
  return { name, ready: new ReadyQueue(), running: 0, delayed: 0 };
}

export function isThere<E>({ outcome }: PipelineItem<E>): boolean {
  return outcome?.kind === "present" || outcome?.kind === "pulled" || outcome?.kind === "built";
}

/** The element whose failure is the reason why this one is of no use. */
export function failureOf<E extends PipelineElement>({ element, outcome }: PipelineItem<E>): string | undefined {
  return outcome?.kind === "failed" ? element.name : outcome?.kind === "blocked" ? outcome.by : undefined;
}
