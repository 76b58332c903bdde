import { asStillageError, StillageError } from "../../base/errors.ts";
import { backOffMs, isNoTry, isPassing } from "../back-off.ts";
import type { PipelineOptions } from "./pipeline.ts";
import type { JobResult, PipelineEvent } from "./pipeline-events.ts";
import type { PipelineElement } from "./pipeline-graph.ts";
import type { PipelineItem as Item, PipelineQueue as Queue } from "./pipeline-item.ts";

type Options<E extends PipelineElement> = Pick<PipelineOptions<E>, "events" | "time" | "random" | "retries">;

type WithoutTime<T> = T extends unknown ? Omit<T, "at"> : never;

/** The jobs of a run: what begins and ends is told, and what may come to something else when it is tried again is. */
export class PipelineJobs<E extends PipelineElement> {
  private readonly options: Options<E>;
  private readonly again: (queue: Queue<E>, item: Item<E>) => void;
  private readonly attempts = new Map<string, number>();
  private readonly jobs = new AbortController();
  private readonly beginnings = new AbortController();
  private readonly waits = new AbortController();

  /** `again` is called when the time has come for another try. */
  constructor(options: Options<E>, again: (queue: Queue<E>, item: Item<E>) => void) {
    this.options = options;
    this.again = again;
  }

  /** Of whatever runs. */
  get signal(): AbortSignal {
    return this.jobs.signal;
  }

  /** Of what was given to somebody and has not begun there. */
  get ending(): AbortSignal {
    return this.beginnings.signal;
  }

  /** Has nothing more begun. */
  beginNothing(): void {
    this.beginnings.abort(runEnded());
  }

  /** Ends what runs. */
  abort(): void {
    this.jobs.abort(runEnded());
  }

  /** Nothing is waited for any more. */
  over(): void {
    this.waits.abort();
  }

  tell(event: WithoutTime<PipelineEvent>): void {
    this.options.events({ at: this.options.time.now(), ...event } as PipelineEvent);
  }

  queued({ name }: Queue<E>, { element }: Item<E>): void {
    this.tell({ kind: "queued", queue: name, element: element.name });
  }

  started({ name }: Queue<E>, { element }: Item<E>, attempt = 1): void {
    this.tell({ kind: "started", queue: name, element: element.name, attempt });
  }

  ended({ name }: Queue<E>, { element }: Item<E>, result: JobResult, why?: StillageError): void {
    this.tell({ kind: "ended", queue: name, element: element.name, result, ...(why && { why }) });
  }

  /** Runs a job of a queue once; where it fails and may be tried again, that is `later`. It counts as running until whoever called this has done what follows: the run is not over before. */
  async attempt<T>(
    queue: Queue<E>,
    item: Item<E>,
    job: () => Promise<T>,
    resultOf: (outcome: T) => JobResult,
  ): Promise<T | "failed" | "stopped" | "later"> {
    const attempt = this.nextAttempt(queue, item);
    queue.running += 1;
    this.started(queue, item, attempt);
    try {
      const outcome = await job();
      this.ended(queue, item, resultOf(outcome));
      return outcome;
    } catch (error) {
      const why = asStillageError(error);
      if (this.signal.aborted || (this.ending.aborted && error === this.ending.reason)) {
        this.ended(queue, item, "stopped");
        return "stopped";
      }
      if (isNoTry(why)) {
        this.attempts.set(attemptsKey(queue, item), attempt - 1);
      } else if (attempt > this.options.retries || !isPassing(why)) {
        this.ended(queue, item, "failed", why);
        return "failed";
      }
      void this.tryLater(queue, item, attempt, why);
      return "later";
    }
  }

  private nextAttempt(queue: Queue<E>, item: Item<E>): number {
    const key = attemptsKey(queue, item);
    const attempt = (this.attempts.get(key) ?? 0) + 1;
    this.attempts.set(key, attempt);
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
    this.again(queue, item);
  }
}

export const runEnded = (): StillageError => new StillageError("cancelled", "the run was ended");

const attemptsKey = <E>({ name }: Queue<E>, { index }: Item<E>): string => `${name} ${index}`;
