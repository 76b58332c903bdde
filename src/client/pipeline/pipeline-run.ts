import { StillageError } from "../../base/errors.ts";
import { BuildGroup, nextGroup } from "./build-group.ts";
import type { BuildOutcome, PipelineOptions, PipelineResult, PullOutcome } from "./pipeline.ts";
import type { ElementOutcome, JobResult, PushResult } from "./pipeline-events.ts";
import type { PipelineElement } from "./pipeline-graph.ts";
import { type PipelineItem as Item, isThere, itemsOf, type PipelineQueue as Queue, queueOf } from "./pipeline-item.ts";
import { PipelineJobs } from "./pipeline-jobs.ts";
import { breakBy, freedBy, realCountdown } from "./usability.ts";

type Ending = NonNullable<PipelineResult["ended"]>;

/** Of one ending to another the later one in this list counts. */
const endings: readonly Ending[] = ["quit", "stop", "terminate", "abort"];

/** One run of a pipeline: the state that `runPipeline` speaks of. */
export class PipelineRun<E extends PipelineElement> {
  private readonly items: ReadonlyMap<string, Item<E>>;
  private readonly counts = realCountdown<E>();
  private readonly pulls = queueOf<E>("pull");
  private readonly fetches = queueOf<E>("fetch");
  private readonly builds = queueOf<E>("build");
  private readonly pushes = queueOf<E>("push");
  private ended: Ending | undefined;
  private readonly jobs: PipelineJobs<E>;
  private readonly over = Promise.withResolvers<void>();
  private readonly options: PipelineOptions<E>;

  constructor(options: PipelineOptions<E>) {
    this.options = options;
    this.items = itemsOf(options.graph, options.cost?.bind(options) ?? (() => 1));
    this.jobs = new PipelineJobs(options, (queue, item) => {
      this.enqueue(queue, item);
      this.step();
    });
  }

  async run(): Promise<PipelineResult> {
    const { stop, abort, asked } = this.options;
    const onStop = (): void => this.end("stop");
    const onAbort = (): void => this.end("abort");
    stop.addEventListener("abort", onStop);
    abort.addEventListener("abort", onAbort);
    try {
      if (stop.aborted) onStop();
      if (abort.aborted) onAbort();
      for (const name of asked) this.need(this.item(name));
      this.step();
      await this.over.promise;
    } finally {
      stop.removeEventListener("abort", onStop);
      abort.removeEventListener("abort", onAbort);
      this.jobs.over();
    }
    return this.result();
  }

  /** Begins whatever may begin. Pushes come first and pulls last: what is nearer to its end is so sooner. */
  private step(): void {
    const { widths } = this.options;
    while (this.begins(this.pushes) && this.pushes.running < widths.push) void this.runPush(this.next(this.pushes));
    while (this.begins(this.builds) && this.builds.running < widths.build) void this.runBuild(this.nextGroup());
    while (this.begins(this.fetches) && this.fetches.running < widths.fetch)
      void this.runFetch(this.next(this.fetches));
    while (this.begins(this.pulls) && this.pulls.running < widths.pull) void this.runPull(this.next(this.pulls));
    const queues = [this.pulls, this.fetches, this.builds, this.pushes];
    const waits = (queue: Queue<E>): boolean => this.allows(queue) && queue.delayed > 0;
    if (queues.every((queue) => queue.running === 0 && !waits(queue))) this.over.resolve();
  }

  private begins(queue: Queue<E>): boolean {
    return this.allows(queue) && queue.ready.size > 0;
  }

  private allows({ name }: Queue<E>): boolean {
    return this.ended === undefined || (this.ended === "quit" && name === "push");
  }

  private next(queue: Queue<E>): Item<E> {
    return queue.ready.take() as Item<E>;
  }

  private nextGroup(): Item<E>[] {
    const { widths, together } = this.options;
    const free = widths.build - this.builds.running;
    return nextGroup(this.builds, free, together, (item) => this.jobs.queued(this.builds, item));
  }

  private item(name: string): Item<E> {
    const item = this.items.get(name);
    if (item === undefined) throw new StillageError("not-found", `there is no element ${name} in the graph`);
    return item;
  }

  private need(item: Item<E>): void {
    if (item.needed) return;
    item.needed = true;
    this.enqueue(this.pulls, item);
  }

  /** Needs it with all that it is used with. */
  private want(first: Item<E>): void {
    const wanted = [first];
    for (const item of wanted) {
      if (item.wanted) continue;
      item.wanted = true;
      this.need(item);
      for (const each of item.usedWith) wanted.push(each);
    }
  }

  private enqueue(queue: Queue<E>, item: Item<E>): void {
    queue.ready.add(item);
    this.jobs.queued(queue, item);
  }

  private async runPull(item: Item<E>): Promise<void> {
    const { pull } = this.options;
    const outcome = await this.jobs.attempt<PullOutcome>(
      this.pulls,
      item,
      () => pull(item.element, this.jobs.signal),
      pulled,
    );
    if (outcome === "stopped") this.settle(item, { kind: "stopped" });
    else if (outcome === "failed" || (outcome !== "later" && outcome.kind === "missing")) this.miss(item);
    else if (outcome !== "later") this.found(item, outcome);
    this.pulls.running -= 1;
    this.step();
  }

  private found(item: Item<E>, { kind, failedBuild }: Exclude<PullOutcome, { kind: "missing" }>): void {
    if (failedBuild === undefined) {
      this.settle(item, { kind });
    } else {
      this.settle(item, { kind: "failed", why: failedBuild, cached: true });
    }
    this.offer(item);
  }

  /** The element has to be built: so all is needed that it is built with, and meanwhile its sources are fetched. */
  private miss(item: Item<E>): void {
    const by = item.builtWith.find(({ failure }) => failure !== undefined)?.failure;
    if (by !== undefined) {
      this.settle(item, { kind: "blocked", by });
      return;
    }
    for (const each of item.builtWith) {
      this.want(each);
      if (each.unready === 0) continue;
      item.lacking += 1;
      each.waiters.push(item);
    }
    this.fetch(item);
    if (item.lacking === 0) this.enqueue(this.builds, item);
  }

  private fetch(item: Item<E>): void {
    const { fetch, fetches } = this.options;
    if (fetch === undefined || fetches?.(item.element) === false) return;
    item.lacking += 1;
    this.enqueue(this.fetches, item);
  }

  private async runFetch(item: Item<E>): Promise<void> {
    // What cannot be built any more needs no sources.
    const once = async (): Promise<"fetched" | "present"> =>
      (item.outcome === undefined
        ? this.options.fetch?.(item.element, this.jobs.signal, this.jobs.ending)
        : undefined) ?? "present";
    const outcome = await this.jobs.attempt(this.fetches, item, once, (result) =>
      result === "fetched" ? "processed" : "skipped",
    );
    if (outcome !== "later" && outcome !== "stopped") {
      // Where it failed, the build finds out whether it can do without.
      item.lacking -= 1;
      if (item.lacking === 0 && item.outcome === undefined) this.enqueue(this.builds, item);
    }
    this.fetches.running -= 1;
    this.step();
  }

  private async runBuild(items: readonly Item<E>[]): Promise<void> {
    const group = new BuildGroup(items, {
      ...{ queue: this.builds, jobs: this.jobs, build: (...all) => this.options.build(...all) },
      allowed: () => this.allows(this.builds),
      ended: (item, outcome) => {
        if (outcome.kind === "stopped") this.settle(item, outcome);
        else this.buildEnded(item, outcome);
        this.step();
      },
    });
    await group.run();
    this.step();
  }

  private buildEnded(item: Item<E>, outcome: BuildOutcome): void {
    if (outcome.kind === "built") {
      this.settle(item, { kind: "built" });
      this.offer(item);
    } else {
      this.settle(item, { kind: "failed", why: outcome.why, cached: false });
      if (outcome.kept) this.offer(item);
    }
  }

  /** Has it pushed, where anything is. */
  private offer(item: Item<E>): void {
    if (this.options.push === undefined || item.push !== undefined) return;
    item.push = "left";
    this.enqueue(this.pushes, item);
  }

  private async runPush(item: Item<E>): Promise<void> {
    const { push } = this.options;
    const once = async (): Promise<PushResult> => push?.(item.element, this.jobs.signal) ?? "skipped";
    const outcome = await this.jobs.attempt(this.pushes, item, once, (result) =>
      result === "pushed" ? "processed" : "skipped",
    );
    if (outcome !== "later" && outcome !== "stopped") item.push = outcome;
    this.pushes.running -= 1;
    this.step();
  }

  /** Says what became of an element, and of those that waited for it. */
  private settle(first: Item<E>, outcome: ElementOutcome): void {
    const settling: [Item<E>, ElementOutcome][] = [[first, outcome]];
    for (const [item, what] of settling) {
      if (item.outcome !== undefined) continue;
      item.outcome = what;
      this.jobs.tell({ kind: "settled", element: item.element.name, outcome: what });
      if (what.kind === "failed" || what.kind === "blocked") {
        const by = what.kind === "failed" ? item.element.name : what.by;
        for (const waiter of breakBy(item, by)) settling.push([waiter, { kind: "blocked", by }]);
      } else if (isThere(what)) {
        for (const waiter of freedBy(item, this.counts)) {
          if (waiter.outcome === undefined && !waiter.taken) this.enqueue(this.builds, waiter);
        }
      }
    }
    if (outcome.kind !== "failed" || this.options.onError === "continue") return;
    this.end(this.options.onError);
  }

  private end(how: Ending): void {
    if (this.ended !== undefined && endings.indexOf(how) <= endings.indexOf(this.ended)) return;
    this.ended = how;
    this.jobs.tell({ kind: "ending", how });
    this.jobs.beginNothing();
    if (how === "terminate" || how === "abort") {
      this.jobs.abort();
    }
    // After what is being done: whoever says so may be in the middle of it.
    queueMicrotask(() => this.step());
  }

  private result(): PipelineResult {
    const outcomes = new Map<string, ElementOutcome>();
    const pushes = new Map<string, PushResult>();
    for (const item of this.items.values()) {
      if (item.outcome === undefined) this.settle(item, this.lastOutcome(item));
      outcomes.set(item.element.name, item.outcome ?? { kind: "stopped" });
      if (item.push !== undefined) pushes.set(item.element.name, item.push);
    }
    return { outcomes, pushes, ended: this.ended };
  }

  /** Of one that had no turn. Where nothing ended the run, only elements that wait for each other are left. */
  private lastOutcome(item: Item<E>): ElementOutcome {
    if (!item.needed) return { kind: "unneeded" };
    if (this.ended !== undefined) return { kind: "stopped" };
    const why = new StillageError("invalid", `what ${item.element.name} is built with leads back to itself`);
    return { kind: "failed", why, cached: false };
  }
}

function pulled(outcome: PullOutcome): JobResult {
  return outcome.kind === "missing" ? "missing" : outcome.kind === "present" ? "skipped" : "processed";
}
