import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { StillageError } from "../../base/errors.ts";

/** How a program ended. */
export interface ProcessEnd {
  /** `undefined` where a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Whether it was us who ended it. */
  readonly stopped: boolean;
}

export interface ProcessOptions {
  /** Where it runs; where this process does unless it is given. */
  readonly directory?: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Ends it: gently, and after `graceMs` hard. */
  readonly signal: AbortSignal;
  readonly graceMs?: number;
}

/** BuildStream takes down its sandboxes and its casd in half a second where it is asked to. */
const defaultGraceMs = 10_000;

/**
 * Runs the program beside a watcher that reads from descriptor 3: where that ends without a word, whoever started it is gone (killed, perhaps), and the watcher ends it, gently and then hard, with
 * all that is in its session. So nothing goes on building that nobody waits for.
 */
const guarded = `
(
  trap '' TERM INT HUP
  read -r word <&3 && exit
  kill -INT $$
  left=$0
  while [ "$left" -gt 0 ] && kill -0 $$; do sleep 1; left=$((left - 1)); done
  how=TERM
  kill -0 $$ && how=KILL
  read -r self rest </proc/self/stat
  for each in /proc/[0-9]*; do
    read -r stat <"$each/stat" || continue
    set -- \${stat##*) }
    [ "$4" = $$ ] && [ "\${each#/proc/}" != "$self" ] && kill -$how "\${each#/proc/}"
  done
) >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/**
 * Runs a program in a session of its own: a Ctrl-C on the terminal is not for it, because whoever started it decides what becomes of it. `take` gets what it prints, as it comes;
 * whoever needs little keeps little. It outlives this process by seconds at most. Errors: `not-found` where there is no such program.
 */
export async function runInGroup(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
  take: (stream: "stdout" | "stderr", bytes: Buffer) => void,
): Promise<ProcessEnd> {
  options.signal.throwIfAborted();
  const graceMs = options.graceMs ?? defaultGraceMs;
  const words = ["-c", guarded, String(Math.ceil(graceMs / 1000)), program, ...args];
  const child = spawn("/bin/sh", words, {
    cwd: options.directory,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true,
  }) as ChildProcessByStdio<null, Readable, Readable>;
  const line = child.stdio[3] as Writable;
  line.on("error", () => {}); // the watcher is gone where the group was killed
  child.stdout.on("data", (bytes: Buffer) => take("stdout", bytes));
  child.stderr.on("data", (bytes: Buffer) => take("stderr", bytes));
  let stopped = false;
  let hard: NodeJS.Timeout | undefined;
  const stop = (): void => {
    stopped = true;
    // Of BuildStream, SIGTERM leaves its casd behind, and so does whatever reaches its jobs before itself.
    child.kill("SIGINT");
    hard = setTimeout(() => endSession(child.pid, "SIGKILL"), graceMs);
  };
  options.signal.addEventListener("abort", stop, { once: true });
  const ended = Promise.withResolvers<ProcessEnd>();
  child.once("error", (error) => {
    ended.reject(new StillageError("internal", `${program} could not be started: ${error.message}`, { cause: error }));
  });
  child.once("exit", () => {
    // Interrupted while it starts, BuildStream forgets its casd.
    if (stopped) endSession(child.pid, "SIGTERM");
    line.end("over\n");
  });
  child.once("close", (status, signal) => {
    ended.resolve({ status: status ?? undefined, signal: signal ?? undefined, stopped });
  });
  try {
    return await ended.promise;
  } finally {
    clearTimeout(hard);
    options.signal.removeEventListener("abort", stop);
  }
}

/** Ends whatever is in the session of the process or descends from it: casd has a group of its own there, and a sandbox may have a session. */
function endSession(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  const processes = allProcesses();
  const doomed = new Set([pid]);
  const parents = new Map<number, number>();
  for (const name of processes) {
    const [, parent = 0, session = 0] = statOf(name);
    parents.set(Number(name), parent);
    if (session === pid) doomed.add(Number(name));
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const [each, parent] of parents) {
      if (doomed.has(parent) && !doomed.has(each)) {
        doomed.add(each);
        grown = true;
      }
    }
  }
  for (const each of doomed) {
    try {
      process.kill(each, signal);
    } catch {
      // it has ended meanwhile
    }
  }
}

function allProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // a system that has no /proc, where the program alone is ended
  }
}

/** Process, parent and session of a process, of proc(5)'s `stat`; nothing where it has ended. */
function statOf(pid: string): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name is in brackets, and may have any.
    const [, parent, , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return [Number(pid), Number(parent), Number(session)];
  } catch {
    return [];
  }
}
