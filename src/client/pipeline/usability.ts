import type { PipelineItem } from "./pipeline-item.ts";

// An element can be used by builds once it is there, and all that it is used with can be. That is told along the edges of the graph, each of which is gone along once: what an element needs to be
// built, all in all, may be as much as the whole graph, and so may it be for each of them.

/** Counts down what items wait for; each gives how many are left. */
export interface Countdown<E> {
  unready(item: PipelineItem<E>): number;
  lacking(item: PipelineItem<E>): number;
}

/** The counts of the run. */
export function realCountdown<E>(): Countdown<E> {
  return {
    unready: (item) => {
      item.unready -= 1;
      return item.unready;
    },
    lacking: (item) => {
      item.lacking -= 1;
      return item.lacking;
    },
  };
}

/** As if: the counts of the run stay. */
export function trialCountdown<E>(): Countdown<E> {
  const counter = (count: (item: PipelineItem<E>) => number): ((item: PipelineItem<E>) => number) => {
    const left = new Map<PipelineItem<E>, number>();
    return (item) => {
      const rest = (left.get(item) ?? count(item)) - 1;
      left.set(item, rest);
      return rest;
    };
  };
  return { unready: counter(({ unready }) => unready), lacking: counter(({ lacking }) => lacking) };
}

/** Those that wait for nothing more where this item is there. */
export function freedBy<E>(item: PipelineItem<E>, count: Countdown<E>): PipelineItem<E>[] {
  const freed: PipelineItem<E>[] = [];
  const nearer = [item];
  for (const each of nearer) {
    if (count.unready(each) > 0) continue;
    for (const user of each.users) nearer.push(user);
    for (const waiter of each.waiters) if (count.lacking(waiter) === 0) freed.push(waiter);
  }
  return freed;
}

/** Says of the item, and of all that is used with it, that it cannot be used; gives those that wait for that. */
export function breakBy<E>(item: PipelineItem<E>, failure: string): PipelineItem<E>[] {
  const waiting: PipelineItem<E>[] = [];
  const broken = [item];
  for (const each of broken) {
    if (each.failure !== undefined) continue;
    each.failure = failure;
    for (const user of each.users) broken.push(user);
    for (const waiter of each.waiters) waiting.push(waiter);
  }
  return waiting;
}
