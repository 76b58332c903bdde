import { asStillageError, StillageError } from "../../base/errors.ts";
import type { BuildOutcome, BuildReport, PipelineOptions } from "./pipeline.ts";
import type { PipelineElement } from "./pipeline-graph.ts";
import type { PipelineItem as Item, PipelineQueue as Queue } from "./pipeline-item.ts";
import { type PipelineJobs, runEnded } from "./pipeline-jobs.ts";
import { freedBy, trialCountdown } from "./usability.ts";

/** Elements that are built in one go at most: what they have done is known to the others one by one, and a failure of the builder is one of all that are left. */
const maxTogether = 64;

/**
 * Takes the next to be built with those that may be built in one go with it: so many of the ready ones that all `free` places get some, and then what waits for nothing but these, which `joins` is called
 * for.
 */
export function nextGroup<E>(
  { ready }: Queue<E>,
  free: number,
  together: ((element: E) => string | undefined) | undefined,
  joins: (item: Item<E>) => void,
): Item<E>[] {
  const first = ready.take() as Item<E>;
  const kind = together?.(first.element);
  if (kind === undefined) return [first];
  const like = (item: Item<E>): boolean => together?.(item.element) === kind;
  const share = Math.ceil((ready.count(like) + 1) / free);
  const group = [first, ...ready.takeLike(like, Math.min(share, maxTogether) - 1)];
  const counts = trialCountdown<E>();
  for (const item of group) {
    for (const waiter of freedBy(item, counts)) {
      if (group.length >= maxTogether || waiter.outcome !== undefined || !like(waiter)) continue;
      waiter.taken = true;
      joins(waiter);
      group.push(waiter);
    }
  }
  return group;
}

export interface GroupOptions<E extends PipelineElement> {
  readonly queue: Queue<E>;
  readonly jobs: PipelineJobs<E>;
  readonly build: PipelineOptions<E>["build"];
  /** Whether another one of the group may be begun. */
  allowed(): boolean;
  /** It has come to this, or was stopped. */
  ended(item: Item<E>, outcome: BuildOutcome | { readonly kind: "stopped" }): void;
}

/** A group that is built in one go. */
export class BuildGroup<E extends PipelineElement> {
  private readonly options: GroupOptions<E>;
  private readonly items: readonly Item<E>[];
  private readonly waiting: Map<E, Item<E>>;
  private readonly started = new Set<Item<E>>();
  /** Where nothing more is to be begun, the rest of a group is not. */
  private readonly rest = new AbortController();

  constructor(items: readonly Item<E>[], options: GroupOptions<E>) {
    this.options = options;
    this.items = items;
    this.waiting = new Map(items.map((item) => [item.element, item]));
  }

  async run(): Promise<void> {
    const { queue, jobs, build, ended } = this.options;
    const signal = AbortSignal.any([jobs.signal, this.rest.signal]);
    queue.running += 1;
    this.start(this.items[0] as Item<E>);
    let error: unknown = new StillageError("internal", "the builder did not say what became of it");
    try {
      const elements = this.items.map(({ element }) => element);
      await build(elements, this.report, signal);
    } catch (failure) {
      error = failure;
    }
    for (const item of this.waiting.values()) {
      // What needs another one of its group, which failed, is settled already.
      if (item.outcome !== undefined) continue;
      if (!signal.aborted) {
        this.start(item);
        this.end(item, { kind: "failed", why: asStillageError(error), kept: false });
      } else {
        if (this.started.has(item)) jobs.ended(queue, item, "stopped");
        ended(item, { kind: "stopped" });
      }
    }
    queue.running -= 1;
  }

  private readonly report: BuildReport<E> = {
    started: (element) => {
      const item = this.waiting.get(element);
      if (item === undefined) return;
      if (!this.started.has(item)) this.endRest();
      if (!this.rest.signal.aborted) this.start(item);
    },
    ended: (element, outcome) => {
      const item = this.waiting.get(element);
      if (item === undefined || item.outcome !== undefined) return;
      this.start(item);
      this.waiting.delete(element);
      this.end(item, outcome);
      if (this.waiting.size > 0) this.endRest();
    },
  };

  private start(item: Item<E>): void {
    if (this.started.has(item)) return;
    this.started.add(item);
    this.options.jobs.started(this.options.queue, item);
  }

  private end(item: Item<E>, outcome: BuildOutcome): void {
    const { queue, jobs, ended } = this.options;
    if (outcome.kind === "built") jobs.ended(queue, item, "processed");
    else jobs.ended(queue, item, "failed", outcome.why);
    ended(item, outcome);
  }

  private endRest(): void {
    if (!this.options.allowed()) this.rest.abort(runEnded());
  }
}
