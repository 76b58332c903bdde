import { spawn } from "node:child_process";
import { setTimeout as setTimeoutPromise } from "node:timers/promises";
import { StillageError } from "../base/errors.ts";

/** What was run, and what came of it. */
export interface LineOutcome {
  readonly line: string;
  /** `undefined` where it ended well; or why not, as half a sentence. */
  readonly failure: string | undefined;
  /** The end of what it wrote, both streams as they came. */
  readonly output: string;
}

export interface LineOptions {
  /** Where it runs: an absolute path. */
  readonly directory: string;
  /** What it has in its environment besides ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it may read from its standard input. */
  readonly input: string;
  readonly timeoutMs: number;
  /** How long it may take to end when it was told to, in milliseconds. */
  readonly endMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of output that are kept. */
const maxOutput = 32 << 10;

const defaultEndMs = 5000;

/** How long output is waited for when a command has ended: what it left running in the background may keep the streams open for good. */
const drainMs = 500;

/** Runs a line by `/bin/sh -c` in a process group of its own, which ends as a whole when its time is over. Never fails but for `signal`: `cancelled`. */
export async function runLine(line: string, options: LineOptions): Promise<LineOutcome> {
  const { directory, environment, input, timeoutMs, endMs = defaultEndMs, signal } = options;
  signal?.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", line], {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let output = Buffer.alloc(0);
  const keep = (chunk: Buffer): void => {
    output = Buffer.concat([output, chunk]).subarray(-maxOutput);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.stdin.on("error", () => {}); // it need not read what it is given
  child.stdin.end(input);
  let late = false;
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    killGroup(child.pid, "SIGTERM");
    killer ??= setTimeout(() => killGroup(child.pid, "SIGKILL"), endMs);
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  signal?.addEventListener("abort", end);
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`cannot be run: ${error.message}`));
    child.once("exit", (status, killed) => {
      const end = failureOf(status, killed, late ? timeoutMs : undefined);
      const drained = setTimeout(() => resolve(end), drainMs);
      child.once("close", () => {
        clearTimeout(drained);
        resolve(end);
      });
    });
  });
  child.stdout.destroy();
  child.stderr.destroy();
  clearTimeout(timer);
  clearTimeout(killer);
  // What it began may ignore the wish that it end, or take its time.
  if (killer !== undefined) await endGroup(child.pid, endMs);
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
  return { line, failure, output: output.toString().trimEnd() };
}

function failureOf(status: number | null, signal: string | null, lateMs: number | undefined): string | undefined {
  if (lateMs !== undefined) return `took longer than ${lateMs / 1000} s and was ended`;
  if (status === 0) return undefined;
  return signal === null ? `ended with ${status}` : `was ended by ${signal}`;
}

/** The command and all that it started; whatever of it is still there. Says whether there was any. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // it has just ended
  }
}

/** Waits for all of a group, which was told to end, and kills what is there after `timeMs`. */
async function endGroup(pid: number | undefined, timeMs: number): Promise<void> {
  for (let waited = 0; waited < timeMs && killGroup(pid, 0); waited += pollMs) await setTimeoutPromise(pollMs);
  killGroup(pid, "SIGKILL");
}

const pollMs = 50;

/** Runs checks one after the other. Errors: `failed-precondition` at the first that does not end well, with what it wrote. */
export async function runChecks(lines: readonly string[], options: LineOptions): Promise<void> {
  for (const line of lines) {
    const { failure, output } = await runLine(line, options);
    if (failure === undefined) continue;
    throw new StillageError("failed-precondition", `the check \`${line}\` ${failure}; nothing was published`, {
      ...(output === "" ? {} : { hint: output }),
    });
  }
}
