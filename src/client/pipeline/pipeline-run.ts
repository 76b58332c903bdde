import { asStillageError, StillageError } from "../../base/errors.ts";
import { backOffMs, isNoTry, isPassing } from "./back-off.ts";
import type { BuildOutcome, BuildReport, PipelineOptions, PipelineResult, PullOutcome } from "./pipeline.ts";
import type { ElementOutcome, JobResult, PipelineEvent, PushResult, QueueName } from "./pipeline-events.ts";
import type { PipelineElement } from "./pipeline-graph.ts";
import { type PipelineItem as Item, isThere, itemsOf, type PipelineQueue as Queue, queueOf } from "./pipeline-item.ts";
import { breakBy, freedBy, realCountdown, trialCountdown } from "./usability.ts";

/** Elements that are built in one go at most: what they have done is known to the others one by one, and a failure of the builder is one of all that are left. */
const maxTogether = 64;

type Ending = NonNullable<PipelineResult["ended"]>;

/** Of one ending to another the later one in this list counts. */
const endings: readonly Ending[] = ["quit", "stop", "terminate", "abort"];

/** One run of a pipeline: the state that `runPipeline` speaks of. */
export class PipelineRun<E extends PipelineElement> {
  private readonly items: ReadonlyMap<string, Item<E>>;
  private readonly counts = realCountdown<E>();
  private readonly pulls = queueOf<E>("pull");
  private readonly builds = queueOf<E>("build");
  private readonly pushes = queueOf<E>("push");
  private ended: Ending | undefined;
  private readonly jobs = new AbortController();
  private readonly waits = new AbortController();
  private readonly over = Promise.withResolvers<void>();
  private readonly options: PipelineOptions<E>;

  constructor(options: PipelineOptions<E>) {
    this.options = options;
    this.items = itemsOf(options.graph, options.cost?.bind(options) ?? (() => 1));
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
      this.waits.abort();
    }
    return this.result();
  }

  /** Begins whatever may begin. Pushes come first and pulls last: what is nearer to its end is so sooner. */
  private step(): void {
    const { widths } = this.options;
    while (this.begins(this.pushes) && this.pushes.running < widths.push) void this.runPush(this.next(this.pushes));
    while (this.begins(this.builds) && this.builds.running < widths.build) void this.runBuild(this.nextGroup());
    while (this.begins(this.pulls) && this.pulls.running < widths.pull) void this.runPull(this.next(this.pulls));
    const queues = [this.pulls, this.builds, this.pushes];
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

  /**
   * The next to be built with those that may be built in one go with it: so many of the ready ones that all free places get some, and then what waits for nothing but these.
   */
  private nextGroup(): Item<E>[] {
    const first = this.next(this.builds);
    const kind = this.options.together?.(first.element);
    if (kind === undefined) return [first];
    const like = (item: Item<E>): boolean => this.options.together?.(item.element) === kind;
    const free = this.options.widths.build - this.builds.running;
    const share = Math.ceil((this.builds.ready.count(like) + 1) / free);
    const group = [first, ...this.builds.ready.takeLike(like, Math.min(share, maxTogether) - 1)];
    const counts = trialCountdown<E>();
    for (const item of group) {
      for (const waiter of freedBy(item, counts)) {
        if (group.length >= maxTogether || waiter.outcome !== undefined || !like(waiter)) continue;
        waiter.taken = true;
        this.tell({ kind: "queued", queue: "build", element: waiter.element.name });
        group.push(waiter);
      }
    }
    return group;
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
    this.tell({ kind: "queued", queue: queue.name, element: item.element.name });
  }

  private async runPull(item: Item<E>): Promise<void> {
    const { pull } = this.options;
    const outcome = await this.attempt<PullOutcome>(
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

  /** The element has to be built: so all is needed that it is built with. */
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
    if (item.lacking === 0) this.enqueue(this.builds, item);
  }

  private async runBuild(items: readonly Item<E>[]): Promise<void> {
    this.builds.running += 1;
    const waiting = new Map(items.map((item) => [item.element, item]));
    const started = new Set<Item<E>>();
    // Where nothing more is to be begun, the rest of a group is not.
    const rest = new AbortController();
    const signal = AbortSignal.any([this.jobs.signal, rest.signal]);
    const endRest = (): void => {
      if (!this.allows(this.builds)) rest.abort(runEnded());
    };
    const start = (item: Item<E> | undefined): void => {
      if (item === undefined || started.has(item)) return;
      started.add(item);
      this.tell({ kind: "started", queue: "build", element: item.element.name, attempt: 1 });
    };
    const report: BuildReport<E> = {
      started: (element) => {
        const item = waiting.get(element);
        if (item !== undefined && !started.has(item)) endRest();
        if (!rest.signal.aborted) start(item);
      },
      ended: (element, outcome) => {
        const item = waiting.get(element);
        // What needs another one of its group, which failed, is settled already.
        if (item === undefined || item.outcome !== undefined) return;
        start(item);
        waiting.delete(element);
        this.buildEnded(item, outcome);
        if (waiting.size > 0) endRest();
        this.step();
      },
    };
    start(items[0]);
    let error: unknown = new StillageError("internal", "the builder did not say what became of it");
    try {
      const elements = items.map(({ element }) => element);
      await this.options.build(elements, report, signal);
    } catch (failure) {
      error = failure;
    }
    this.builds.running -= 1;
    for (const item of waiting.values()) {
      if (item.outcome !== undefined) continue;
      if (!signal.aborted) {
        start(item);
        this.buildEnded(item, { kind: "failed", why: asStillageError(error), kept: false });
      } else {
        if (started.has(item)) this.endJob("build", item, "stopped");
        this.settle(item, { kind: "stopped" });
      }
    }
    this.step();
  }

  private buildEnded(item: Item<E>, outcome: BuildOutcome): void {
    if (outcome.kind === "built") {
      this.endJob("build", item, "processed");
      this.settle(item, { kind: "built" });
      this.offer(item);
    } else {
      this.endJob("build", item, "failed", outcome.why);
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
    const outcome = await this.attempt(this.pushes, item, once, (result) =>
      result === "pushed" ? "processed" : "skipped",
    );
    if (outcome !== "later" && outcome !== "stopped") item.push = outcome;
    this.pushes.running -= 1;
    this.step();
  }

  /** Runs a job of a queue once; where it fails and may be tried again, that is `later`. It counts as running until whoever called this has done what follows: the run is not over before. */
  private async attempt<T>(
    queue: Queue<E>,
    item: Item<E>,
    job: () => Promise<T>,
    resultOf: (outcome: T) => JobResult,
  ): Promise<T | "failed" | "stopped" | "later"> {
    const attempt = this.nextAttempt(queue, item);
    queue.running += 1;
    this.tell({ kind: "started", queue: queue.name, element: item.element.name, attempt });
    try {
      const outcome = await job();
      this.endJob(queue.name, item, resultOf(outcome));
      return outcome;
    } catch (error) {
      const why = asStillageError(error);
      if (this.jobs.signal.aborted) {
        this.endJob(queue.name, item, "stopped");
        return "stopped";
      }
      if (isNoTry(why)) {
        this.attempts.set(`${queue.name} ${item.index}`, attempt - 1);
      } else if (attempt > this.options.retries || !isPassing(why)) {
        this.endJob(queue.name, item, "failed", why);
        return "failed";
      }
      void this.tryLater(queue, item, attempt, why);
      return "later";
    }
  }

  private readonly attempts = new Map<string, number>();

  private nextAttempt({ name }: Queue<E>, { index }: Item<E>): number {
    const attempt = (this.attempts.get(`${name} ${index}`) ?? 0) + 1;
    this.attempts.set(`${name} ${index}`, attempt);
    return attempt;
  }

  /** Gives its place to others meanwhile. */
  private async tryLater(queue: Queue<E>, item: Item<E>, attempt: number, why: StillageError): Promise<void> {
    const afterMs = backOffMs(attempt, why, this.options.random);
    queue.delayed += 1;
    this.tell({ kind: "retrying", queue: queue.name, element: item.element.name, afterMs, why });
    try {
      await this.options.time.wait(afterMs, this.waits.signal);
    } catch {
      return; // the run is over
    }
    queue.delayed -= 1;
    this.enqueue(queue, item);
    this.step();
  }

  private endJob(queue: QueueName, { element }: Item<E>, result: JobResult, why?: StillageError): void {
    this.tell({ kind: "ended", queue, element: element.name, result, ...(why && { why }) });
  }

  /** Says what became of an element, and of those that waited for it. */
  private settle(first: Item<E>, outcome: ElementOutcome): void {
    const settling: [Item<E>, ElementOutcome][] = [[first, outcome]];
    for (const [item, what] of settling) {
      if (item.outcome !== undefined) continue;
      item.outcome = what;
      this.tell({ kind: "settled", element: item.element.name, outcome: what });
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
    this.tell({ kind: "ending", how });
    if (how === "terminate" || how === "abort") {
      this.jobs.abort(runEnded());
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

  private tell(event: PipelineEvent extends infer T ? (T extends unknown ? Omit<T, "at"> : never) : never): void {
    this.options.events({ at: this.options.time.now(), ...event } as PipelineEvent);
  }
}

const runEnded = (): StillageError => new StillageError("cancelled", "the run was ended");

function pulled(outcome: PullOutcome): JobResult {
  return outcome.kind === "missing" ? "missing" : outcome.kind === "present" ? "skipped" : "processed";
}
