import type { MessagePort, Worker } from "node:worker_threads";
import { asStillageError, type ErrorCode, type FieldViolation, StillageError } from "./errors.ts";
import { isPromise } from "./maybe-promise.ts";

/** One end of a channel between two threads: a port, such as a worker's `parentPort`, or the worker itself. */
export type ThreadPort = MessagePort | Worker;

/** What somebody answers: functions of plain values, whose answers are plain values or promises of such. */
// biome-ignore lint/suspicious/noExplicitAny: what the functions take is theirs to say
export type Answers = Record<string, (...args: any[]) => unknown>;

/** An error as a plain value. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];
  /** The stack of the error underneath, for the log. */
  readonly cause: string | undefined;
}

/** Everything that was said in one turn of the event loop. */
interface Talk {
  /** For each question its number (0: no answer is wanted), its name, and the array of arguments. */
  readonly asks: unknown[];
  /** For each answer the number of the question, whether it failed, and the value or error. */
  readonly answers: unknown[];
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StillageError) => void;
}

/**
 * Questions and answers between two threads, both ways. What is said in one turn of the event loop goes in one message, and arrives in the
 * order in which it was said. Values are copied (structured clone), shared memory is shared; a view of an array takes all of its memory along, so
 * what is part of something larger is to be copied before.
 */
export class ThreadLine<Theirs extends { [K in keyof Theirs]: (...args: never[]) => unknown }> {
  private readonly port: ThreadPort;
  private readonly answers: Answers;
  private readonly waiting = new Map<number, Waiting>();
  private talk: Talk = { asks: [], answers: [] };
  private scheduled = false;
  private last = 0;
  private closed: StillageError | undefined;

  /** `answers`: by name, what the other side may ask. */
  constructor(port: ThreadPort, answers: object) {
    this.port = port;
    this.answers = answers as Answers;
    (port as MessagePort).on("message", (talk: Talk) => this.hear(talk));
  }

  /** Errors: those of the other side's answer; what `close` was given once there is nobody to answer. */
  ask<K extends keyof Theirs & string>(
    name: K,
    ...args: Parameters<Theirs[K]>
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    return new Promise((resolve, reject) => {
      const number = ++this.last;
      this.waiting.set(number, { resolve: resolve as Waiting["resolve"], reject });
      this.say(number, name, args);
    });
  }

  /** Asks for something without waiting for an answer. */
  tell<K extends keyof Theirs & string>(name: K, ...args: Parameters<Theirs[K]>): void {
    if (this.closed === undefined) this.say(0, name, args);
  }

  /** Sends at once what has been said. */
  flush(): void {
    this.scheduled = false;
    const { talk } = this;
    if (this.closed !== undefined || talk.asks.length + talk.answers.length === 0) return;
    this.talk = { asks: [], answers: [] };
    (this.port as MessagePort).postMessage(talk);
  }

  /** The other side is gone: whoever waits for an answer is told `reason`. */
  close(reason: StillageError): void {
    this.closed ??= reason;
    for (const { reject } of this.waiting.values()) reject(reason);
    this.waiting.clear();
  }

  private say(number: number, name: string, args: unknown[]): void {
    this.talk.asks.push(number, name, args);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private hear({ asks, answers }: Talk): void {
    for (let i = 0; i < answers.length; i += 3)
      this.settle(answers[i] as number, answers[i + 1] === true, answers[i + 2]);
    for (let i = 0; i < asks.length; i += 3) {
      this.answer(asks[i] as number, asks[i + 1] as string, asks[i + 2] as unknown[]);
    }
  }

  private settle(number: number, failed: boolean, value: unknown): void {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (failed) waiting?.reject(errorOf(value as PlainError));
    else waiting?.resolve(value);
  }

  private answer(number: number, name: string, args: unknown[]): void {
    try {
      const value = this.answers[name]?.(...args);
      if (isPromise(value)) {
        value.then(
          (late) => this.reply(number, false, late),
          (error) => this.reply(number, true, plainError(error)),
        );
      } else this.reply(number, false, value);
    } catch (error) {
      this.reply(number, true, plainError(error));
    }
  }

  private reply(number: number, failed: boolean, value: unknown): void {
    if (number === 0 || this.closed !== undefined) return;
    this.talk.answers.push(number, failed, value);
    this.schedule();
  }
}

/** An error as a plain value: everything but the error underneath, of which its stack stays. */
export function plainError(error: unknown): PlainError {
  const { code, message, hint, retryAfterMs, violations, cause } = asStillageError(error);
  const stack =
    cause instanceof Error ? (cause.stack ?? cause.message) : cause === undefined ? undefined : String(cause);
  return { code, message, hint, retryAfterMs, violations, cause: stack };
}

export function errorOf({ code, message, hint, retryAfterMs, violations, cause }: PlainError): StillageError {
  const underneath = new Error(cause ?? "");
  if (cause !== undefined) underneath.stack = cause;
  return new StillageError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause: underneath }),
    violations,
  });
}
