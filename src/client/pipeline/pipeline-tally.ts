import type { JobResult, PipelineEvent, QueueName } from "./pipeline-events.ts";

/** How many elements of a queue are where. */
export interface QueueTally {
  waiting: number;
  running: number;
  readonly done: Record<JobResult, number>;
}

/** How far a pipeline is, counted from its events. */
export class PipelineTally {
  readonly queues: Readonly<Record<QueueName, QueueTally>> = {
    pull: empty(),
    fetch: empty(),
    build: empty(),
    push: empty(),
  };
  /** What is being done, since when, by queue. */
  readonly running: Readonly<Record<QueueName, Map<string, number>>> = {
    pull: new Map(),
    fetch: new Map(),
    build: new Map(),
    push: new Map(),
  };

  /** What is tried again, by queue and element: when, and why. */
  readonly delayed = new Map<string, { readonly element: string; readonly until: number; readonly why: string }>();

  /** Gives, for a job that ended, how long it took in milliseconds, the last try alone. */
  take(event: PipelineEvent): number | undefined {
    if (event.kind === "settled" && event.outcome.kind === "failed" && event.outcome.cached) {
      // Nothing was built, and yet that is what failed.
      this.queues.build.done.failed += 1;
    }
    if (!("queue" in event)) return undefined;
    const { queue, element, at } = event;
    const tally = this.queues[queue];
    const running = this.running[queue];
    switch (event.kind) {
      case "queued":
        tally.waiting += 1;
        this.delayed.delete(`${queue} ${element}`);
        return undefined;
      case "started":
        tally.waiting -= 1;
        tally.running += 1;
        running.set(element, at);
        return undefined;
      case "retrying":
      case "ended": {
        const since = running.get(element) ?? at;
        running.delete(element);
        tally.running -= 1;
        if (event.kind === "retrying") {
          this.delayed.set(`${queue} ${element}`, { element, until: at + event.afterMs, why: event.why.message });
        }
        if (event.kind === "ended") tally.done[event.result] += 1;
        return at - since;
      }
    }
  }
}

function empty(): QueueTally {
  return { waiting: 0, running: 0, done: { processed: 0, skipped: 0, missing: 0, failed: 0, stopped: 0 } };
}
