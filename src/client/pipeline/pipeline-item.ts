import type { ElementOutcome, PushResult, QueueName } from "./pipeline-events.ts";
import type { PipelineElement, PipelineGraph } from "./pipeline-graph.ts";
import { ReadyQueue } from "./ready-queue.ts";

/** Where an element is on its way. */
export interface PipelineItem<E> {
  readonly element: E;
  readonly index: number;
  /** The longest chain of builds that may wait for it. */
  readonly rank: number;
  /** Direct dependencies, each once. */
  readonly builtWith: PipelineItem<E>[];
  readonly usedWith: PipelineItem<E>[];
  /** Those that are used with it: the same edges from the other end. */
  readonly users: PipelineItem<E>[];
  /** Whether anything that is wanted needs it. */
  needed: boolean;
  /** Whether something is built with it, so that it is needed with all that it is used with. */
  wanted: boolean;
  outcome: ElementOutcome | undefined;
  push: PushResult | undefined;
  /** How many of itself and what it is used with cannot be used yet: with none left, it can. */
  unready: number;
  /** The element whose failure is why it cannot be used in this run. */
  failure: string | undefined;
  /** Of what it is built with, how many cannot be used yet; and one more as long as its sources are not fetched. */
  lacking: number;
  /** Whether it is built in one go with what it lacks. */
  taken: boolean;
  /** Those that are built once it can be used. */
  readonly waiters: PipelineItem<E>[];
}

/** An item for each element, by name. */
export function itemsOf<E extends PipelineElement>(
  graph: PipelineGraph<E>,
  cost: (element: E) => number,
): Map<string, PipelineItem<E>> {
  const chains = graph.chains(cost);
  const items = new Map<string, PipelineItem<E>>();
  for (const element of graph.elements.values()) {
    items.set(element.name, {
      ...{ element, index: items.size, rank: chains.get(element.name) ?? 0 },
      ...{ builtWith: [], usedWith: [], users: [], waiters: [] },
      ...{ needed: false, wanted: false, outcome: undefined, push: undefined },
      ...{ unready: 1, failure: undefined, lacking: 0, taken: false },
    });
  }
  const itemsNamed = (names: readonly string[]): PipelineItem<E>[] =>
    [...new Set(names)].map((name) => items.get(name) as PipelineItem<E>);
  for (const item of items.values()) {
    item.builtWith.push(...itemsNamed(item.element.buildDependencies));
    item.usedWith.push(...itemsNamed(item.element.runtimeDependencies));
    item.unready += item.usedWith.length;
    for (const each of item.usedWith) each.users.push(item);
  }
  return items;
}

/** One of them, with what waits and how much runs. */
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

export function isThere(outcome: ElementOutcome): boolean {
  return outcome.kind === "present" || outcome.kind === "pulled" || outcome.kind === "built";
}
