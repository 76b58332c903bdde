import { setTimeout as delay } from "node:timers/promises";
import { destination } from "pino";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AccessLines } from "./access-log.ts";

/** Lines are collected up to here, so that a busy server makes one write of some fifty. */
const collectedBytes = 8 * 1024;

/** And written after this time, whatever they are. */
const flushMs = 500;

/** What may wait where the disk is slower than the clients; beyond it lines are dropped, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** How long lines may take to be written where something waits for them. */
const momentMs = 2000;

const complaintMs = 60_000;

const standardError = "stderr";

/** The file of the access log. */
export class AccessFile implements AccessLines {
  private readonly clock: Clock;
  private readonly lines: ReturnType<typeof destination>;
  private readonly target: string;
  private readonly log: Log;
  /** Lines that were dropped, and when that was last told. */
  private lost = 0;
  private complained = Number.NEGATIVE_INFINITY;

  /** `target`: `stderr` or a file, which is appended to. Errors: `failed-precondition`. */
  static async open(target: string, clock: Clock, log: Log): Promise<AccessFile> {
    const toFile = target !== standardError;
    const lines = destination({
      ...(toFile ? { dest: target } : { fd: 2 }),
      append: true,
      sync: false,
      minLength: collectedBytes,
      maxLength: maxWaitingBytes,
      periodicFlush: flushMs,
    });
    if (toFile) await ready(lines, target);
    return new AccessFile(lines, target, clock, log);
  }

  private constructor(lines: AccessFile["lines"], target: string, clock: Clock, log: Log) {
    this.lines = lines;
    this.target = target;
    this.clock = clock;
    this.log = log;
    lines.on("error", (error: Error) => this.complain(error.message));
    lines.on("drop", (dropped: string) => {
      this.lost += linesIn(dropped);
      this.complain("lines wait for the disk");
    });
  }

  write(lines: string): void {
    this.lines.write(lines);
  }

  /** Writes what is left, and opens the file by its name again: whoever rotates logs has given the old one another. */
  async reopen(): Promise<void> {
    if (this.target === standardError) return;
    await inAMoment(new Promise((resolve) => this.lines.flush(resolve)));
    try {
      this.lines.reopen();
    } catch (error) {
      this.complain((error as Error).message);
    }
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.lines.once("close", resolve));
    this.lines.end();
    await inAMoment(closed);
    this.lines.destroy();
  }

  /** Once a minute: each line may fail. */
  private complain(reason: string): void {
    const now = this.clock();
    if (now - this.complained < complaintMs) return;
    this.complained = now;
    this.log.error({ file: this.target, reason, lost: this.lost }, "the access log fails");
  }
}

/** Lines that come from other threads come many at a time. */
export function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** Waits for the disk, but not for long: one that is full must not keep the server from anything. */
async function inAMoment(work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(momentMs, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

function ready(lines: ReturnType<typeof destination>, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    lines.once("ready", resolve);
    lines.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new StillageError("failed-precondition", `the access log ${target} cannot be opened (${error.code})`, {
          cause: error,
          hint: "it is a file that the server may write, in a folder that is there",
        }),
      );
    });
  });
}
