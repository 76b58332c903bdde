import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { StillageError } from "../base/errors.ts";
import type { PushDestination } from "./push-destination.ts";

/** Seconds after which a connection that nobody uses ends by itself: what is left of one whose process was killed. */
const idleSeconds = 60;

/** What the `ssh` program ends with when the connection is at fault, not the command at the other end. */
const sshFailed = 255;

/** Characters that are kept of what a command writes to standard error, the last ones. */
const keptErrors = 2000;

export interface SshOptions {
  /** Further options of `ssh`, such as `-i FILE`. */
  readonly options: readonly string[];
  readonly signal: AbortSignal;
  /** What ssh says of the connection becomes part of the error instead of going to our standard error. */
  readonly quiet?: boolean;
}

/** A command that runs at the other end. */
export interface SshCommand {
  readonly input: Writable;
  readonly output: Readable;
  /** What it and ssh have written to standard error so far, or the last of it. */
  errors(): string;
  /** Its exit status once it has ended; 255 also where ssh itself failed, `undefined` where a signal ended it. */
  readonly ended: Promise<number | undefined>;
  /** Ends ssh, and with it the command. */
  stop(): void;
}

/**
 * A connection of the `ssh` program, over which commands run and ports are forwarded: its control socket is in a directory of its own. What ssh and the other
 * side write to standard error goes to ours, and questions for passwords to the terminal.
 */
export class SshConnection implements AsyncDisposable {
  private readonly directory: string;
  private readonly common: readonly string[];
  private readonly host: string;
  private readonly signal: AbortSignal;

  private constructor(
    directory: string,
    { user, host, port }: PushDestination,
    options: readonly string[],
    signal: AbortSignal,
  ) {
    this.directory = directory;
    this.host = host;
    this.signal = signal;
    this.common = [
      ...["-S", join(directory, "socket")],
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...(user === undefined ? [] : ["-l", user]),
      ...options,
    ];
  }

  /** Connects. Errors: `unavailable`, and the signal's reason. */
  static async open(destination: PushDestination, { options, signal, quiet }: SshOptions): Promise<SshConnection> {
    // Short, as the path of a socket has to be.
    const directory = await mkdtemp(join(tmpdir(), "stillage-ssh-"));
    const connection = new SshConnection(directory, destination, options, signal);
    try {
      // In the background once it is let in: the program ends when the socket is there.
      const persist = ["-M", "-N", "-f", "-o", `ControlPersist=${idleSeconds}`];
      if (quiet === true) await connection.openQuietly(persist);
      else if ((await connection.ended(connection.start(persist, "ignore"))) !== 0) throw connection.refused();
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The program stays in the background with its standard error, so that has to be a file, and no pipe that we wait for. */
  private async openQuietly(persist: readonly string[]): Promise<void> {
    const path = join(this.directory, "errors");
    const file = await open(path, "w");
    try {
      const stdio = ["ignore", "ignore", file.fd] as const;
      const child = spawn("ssh", [...persist, ...this.common, "--", this.host], {
        stdio: [...stdio],
        signal: this.signal,
      });
      if ((await this.ended(child)) === 0) return;
    } finally {
      await file.close();
    }
    throw this.refused(lastOf(await readFile(path, "utf8")));
  }

  /** Begins a command with which one speaks; whoever does sees to it that it ends. Output and errors of its pipes are his to handle. */
  converse(words: readonly string[]): SshCommand {
    const child = spawn("ssh", [...this.common, "--", this.host, ...words], { stdio: "pipe" });
    let errors = "";
    child.stderr.on("data", (piece: Buffer) => {
      errors = (errors + piece.toString()).slice(-keptErrors);
    });
    const ended = this.ended(child);
    ended.catch(() => {});
    return {
      input: child.stdin,
      output: child.stdout,
      errors: () => lastOf(errors),
      ended,
      stop() {
        child.kill("SIGTERM");
        // The connection's own process has the other ends, for as long as the command goes on over there.
        for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
      },
    };
  }

  /** Has the other side listen at a free port of its loopback address for us, and gives that port. Errors: `unavailable`. */
  async forwardBack(localPort: number): Promise<number> {
    const child = this.start(["-O", "forward", "-R", `0:127.0.0.1:${localPort}`], "pipe");
    const [printed, status] = await Promise.all([
      text(child.stdout as NonNullable<typeof child.stdout>),
      this.ended(child),
    ]);
    const port = Number(printed.trim());
    if (status === 0 && Number.isInteger(port) && port > 0 && port <= 65_535) return port;
    throw new StillageError("unavailable", `${this.host} does not let ports be forwarded`, {
      hint: 'its authorized_keys needs port-forwarding,permitlisten="localhost:*" where it says restrict',
    });
  }

  /** Runs a command there and gives its exit status. Its output is ours. Errors: `unavailable` where the connection broke. */
  async run(words: readonly string[]): Promise<number> {
    const status = await this.ended(this.start([], "inherit", words));
    if (status !== undefined && status !== sshFailed) return status;
    throw new StillageError("unavailable", `the connection to ${this.host} broke`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where there is no connection, or none any more, this fails, as it may.
    const child = spawn("ssh", [...this.common, "-O", "exit", "--", this.host], { stdio: "ignore" });
    await once(child, "close").catch(() => {});
    await rm(this.directory, { recursive: true, force: true });
  }

  private start(
    options: readonly string[],
    stdout: "ignore" | "pipe" | "inherit",
    words: readonly string[] = [],
  ): ChildProcess {
    return spawn("ssh", [...options, ...this.common, "--", this.host, ...words], {
      stdio: ["ignore", stdout, "inherit"],
      signal: this.signal,
    });
  }

  /** The exit status; `undefined` for a program that a signal ended. */
  private async ended(child: ChildProcess): Promise<number | undefined> {
    try {
      const [status] = (await once(child, "close")) as [number | null];
      return status ?? undefined;
    } catch (error) {
      this.signal.throwIfAborted();
      throw new StillageError("failed-precondition", `ssh cannot be run: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** `said`: by ssh, where that has not gone to standard error. */
  private refused(said?: string): StillageError {
    if (said !== undefined && said !== "") {
      return new StillageError("unavailable", `there is no ssh connection to ${this.host}: ${said}`);
    }
    return new StillageError("unavailable", `there is no ssh connection to ${this.host}`, {
      hint: said === undefined ? "what ssh said stands above" : "ssh does not say why",
    });
  }
}

/** The last of a text of somebody else's, in one line of which nothing drives a terminal. */
function lastOf(text: string): string {
  return text
    .slice(-keptErrors)
    .replaceAll(/\s*\n\s*/g, "; ")
    .replaceAll(/\p{Cc}/gu, " ")
    .replaceAll(/^(; )+|(; )+$/g, "")
    .trim();
}

/** Words as the arguments of a command for a POSIX shell; a `~/` in front stays what it means there. */
export function shellQuoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  const home = word.startsWith("~/") ? "~/" : "";
  const rest = word.slice(home.length);
  return rest === "" ? home : `${home}'${rest.replaceAll("'", "'\\''")}'`;
}
