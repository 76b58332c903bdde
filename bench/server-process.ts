import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** How a server is started. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it will listen, `host:port`. A server without it says so in its ready line. */
  readonly address?: string;
}

export interface Memory {
  /** Resident bytes now. */
  readonly resident: number;
  /** The most resident bytes since the process started. */
  readonly peak: number;
}

/** Until then a server has to listen: an ample time even for a store that is scanned at start. */
const startLimitMs = 120_000;
/** A server that has not ended so long after SIGTERM is killed. */
const stopLimitMs = 20_000;
const pollMs = 10;
/** Lines of a server's standard error that are kept to explain why it failed. */
const keptLines = 8;

/** A server that runs; disposing of it ends it. */
export class ServerProcess implements AsyncDisposable {
  readonly address: string;
  readonly pid: number;
  /** From the start of the process until it was ready. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, address: string, readyMs: number) {
    this.address = address;
    this.pid = child.pid ?? 0;
    this.readyMs = readyMs;
    this.#child = child;
  }

  async memory(): Promise<Memory> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const bytes = (field: string): number =>
      1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    await end(this.#child, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a server and waits until it listens; one that ends or hangs instead is an error that says what it printed. */
export async function startServer(launch: Launch, signal: AbortSignal): Promise<ServerProcess> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  const child = spawn(launch.command, launch.args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...launch.env },
    // A process group of its own: Ctrl-C at the terminal reaches us alone, and we end the server in order.
    detached: true,
  });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.removeListener("exit", kill));

  const settled = new AbortController();
  const limits = AbortSignal.any([signal, settled.signal, AbortSignal.timeout(startLimitMs)]);
  const printed: string[] = [];
  try {
    const address = await Promise.race([
      readyLine(child, printed, launch.address),
      ...(launch.address === undefined ? [] : [listening(launch.address, limits)]),
      ended(child),
      aborted(limits),
    ]);
    return new ServerProcess(child, address, performance.now() - startedAt);
  } catch (cause) {
    await end(child, "SIGKILL");
    signal.throwIfAborted();
    throw new Error([`${launch.command} did not start: ${(cause as Error).message}`, ...printed].join("\n"), { cause });
  } finally {
    settled.abort();
  }
}

/** A port of the loopback address that nothing listened on a moment ago. */
export async function freeAddress(): Promise<string> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const bound = probe.address();
  probe.close();
  if (bound === null || typeof bound === "string") throw new Error("the loopback address has no port");
  return `127.0.0.1:${bound.port}`;
}

/** Reads the server's standard error to its end, so that it never blocks; resolves at a ready line that is waited for. */
function readyLine(child: ChildProcess, printed: string[], known: string | undefined): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  if (child.stderr !== null) {
    createInterface(child.stderr).on("line", (line) => {
      printed.push(line);
      if (printed.length > keptLines) printed.shift();
      const address = known === undefined ? addressIn(line) : undefined;
      if (address !== undefined) resolve(address);
    });
  }
  return promise;
}

function addressIn(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  const entry = JSON.parse(line) as { msg?: string; listeners?: readonly { address?: string }[] };
  return entry.msg === "ready" ? entry.listeners?.[0]?.address : undefined;
}

async function listening(address: string, limits: AbortSignal): Promise<string> {
  const [host, port] = address.split(":");
  while (!limits.aborted) {
    const socket = connect(Number(port), host);
    const accepted = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return address;
    await delay(pollMs);
  }
  throw limits.reason;
}

function ended(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, by) => reject(new Error(`it ended with ${by ?? `status ${code}`}`)));
  });
}

function aborted(limits: AbortSignal): Promise<never> {
  return new Promise((_, reject) => limits.addEventListener("abort", () => reject(limits.reason), { once: true }));
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
  await exit;
  clearTimeout(timer);
}
