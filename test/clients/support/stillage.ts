import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { programFile } from "../../support/program-file.ts";
import { checkout } from "./checkout.ts";

/** One place the server under test listens at, as its ready line says it. */
export interface ServedListener {
  /** `HOST:PORT` with the real port. */
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
}

/** A running server under test. Disposing stops it. */
export interface ServerUnderTest extends AsyncDisposable {
  /** In the order of the `--listen` options. */
  readonly listeners: readonly ServedListener[];
  /** The first listener's address. */
  readonly address: string;
  readonly pid: number;
  /** The end of what the server has logged. */
  log(): string;
  /** Sends SIGTERM and gives the exit status. Stopping twice is harmless. */
  stop(): Promise<number | null>;
}

const startUpMs = 20_000;
/** Longer than the server's own grace time for running calls. */
const stopMs = 30_000;
/** Enough lines to see why a server did not come up. */
const keptLogLines = 200;

/**
 * Starts `serve FOLDER` of the server under test on free loopback ports. `options` are further command line options;
 * without a `--listen` among them there is one plain listener. The environment variable STILLAGE_PROGRAM names another
 * program with the same command line (words separated by spaces), for instance an installed package.
 */
export async function startServer(folder: string, options: readonly string[] = []): Promise<ServerUnderTest> {
  const [program = process.execPath, ...words] = serverCommand();
  const listen = options.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const child = spawn(program, [...words, "serve", folder, ...listen, ...options], {
    cwd: checkout,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  const log = () => lines.join("\n");
  const listeners = await readyListeners(child, lines);
  const address = listeners[0]?.address;
  if (address === undefined) throw new Error(`the ready line names no listener:\n${log()}`);
  const stop = () => stopServer(child, log);
  return {
    listeners,
    address,
    pid: child.pid as number,
    log,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function serverCommand(): string[] {
  const other = process.env.STILLAGE_PROGRAM;
  return other === undefined ? [process.execPath, programFile("stillage")] : other.split(" ");
}

/** Collects the log into `lines` and resolves at the ready line. Rejects when the server ends or says nothing in time. */
function readyListeners(child: ChildProcess, lines: string[]): Promise<ServedListener[]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`the server under test ${why}; its log ends:\n${lines.join("\n")}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${startUpMs} ms`), startUpMs);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    // `close` comes after the last line of the log, `exit` may come before it.
    child.once("close", (status, signal) => fail(`ended early (${signal ?? status})`));
    if (child.stderr === null) return fail("has no log");
    createInterface(child.stderr).on("line", (line) => {
      lines.push(line);
      if (lines.length > keptLogLines) lines.shift();
      const listeners = parseReadyLine(line);
      if (listeners === undefined) return;
      clearTimeout(timer);
      resolve(listeners);
    });
  });
}

function parseReadyLine(line: string): ServedListener[] | undefined {
  if (!line.startsWith("{")) return undefined;
  const record = JSON.parse(line) as { msg?: string; listeners?: ServedListener[] };
  return record.msg === "ready" ? (record.listeners ?? []) : undefined;
}

async function stopServer(child: ChildProcess, log: () => string): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "close", { signal: AbortSignal.timeout(stopMs) });
  child.kill("SIGTERM");
  try {
    await ended;
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`the server under test did not stop within ${stopMs} ms; its log ends:\n${log()}`, {
      cause: error,
    });
  }
  return child.exitCode;
}
