import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type Program, programFile } from "../../support/program-file.ts";

/** The folder of the checkout. */
export const checkout = join(import.meta.dirname, "../../..");

/** Longer than any command takes on a busy machine. */
const limitMs = 120_000;

export interface RunOptions {
  readonly cwd: string;
  /** All of the program's environment but for PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** `null` where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Runs a program until it ends. */
export async function run(program: Program, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = start(program, args, options);
  return outcomeOf(child);
}

/** Runs any command until it ends. */
export async function runCommand(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  return outcomeOf(spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ["ignore", "pipe", "pipe"] }));
}

/** A line of the log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Listening {
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
  readonly clientCertificates: boolean;
}

/** A server that runs as a process. Disposing kills it where it has not ended. */
export interface RunningProgram extends AsyncDisposable {
  readonly listeners: readonly Listening[];
  /** The log so far. */
  readonly log: readonly LogLine[];
  signal(name: NodeJS.Signals): void;
  /** Resolves at the next line with this message, or one that is there already. */
  logged(msg: string): Promise<LogLine>;
  /** Resolves when it has ended. */
  ended(): Promise<Outcome>;
}

/** Starts a server and waits for its `ready`. */
export async function serve(program: Program, args: readonly string[], options: RunOptions): Promise<RunningProgram> {
  const child = start(program, args, options);
  const end = outcomeOf(child);
  const log: LogLine[] = [];
  const waiting = new Map<string, PromiseWithResolvers<LogLine>>();
  createInterface(child.stderr).on("line", (text) => {
    if (!text.startsWith("{")) return;
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    waiting.get(line.msg)?.resolve(line);
  });
  const logged = (msg: string): Promise<LogLine> => {
    const there = log.find((line) => line.msg === msg);
    if (there !== undefined) return Promise.resolve(there);
    const wait = Promise.withResolvers<LogLine>();
    waiting.set(msg, wait);
    const early = end.then(({ status, stderr }): never => {
      throw new Error(`the program ended with ${status} before it said "${msg}":\n${stderr}`);
    });
    return Promise.race([wait.promise, early]);
  };
  const ready = await logged("ready");
  return {
    listeners: ready.listeners as Listening[],
    log,
    signal: (name) => void child.kill(name),
    logged,
    ended: () => end,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await end;
    },
  };
}

function start(program: Program, args: readonly string[], { cwd, env }: RunOptions): Child {
  return spawn(process.execPath, [programFile(program), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outcomeOf(child: Child): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const [status] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { status, stdout, stderr };
}
