import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Log } from "../base/log.ts";

/** Assignments of sd_notify(3), such as `READY: "1"`. */
export type Notice = Readonly<Record<string, string>>;

/** Whoever started this process and wants to hear from it: systemd, or what speaks as it does. */
export interface ServiceManager {
  /** How long it waits for a sign of life before it ends the process; `undefined` where it does not. */
  readonly watchdogMs: number | undefined;
  /** Sends a notice after all that came before it. */
  tell(notice: Notice): void;
  /** Resolves once everything was sent, or could not be. */
  settled(): Promise<void>;
}

/**
 * Node has no datagram sockets of the Unix domain, which is what the manager listens on; systemd's own program has. It waits until its message
 * was read, so that the manager still knows whose child it is.
 */
const program = "systemd-notify";

/** It waits 5 s for a manager that does not read. */
const sendLimitMs = 10_000;

/** Who is to be told how process `pid` does; `undefined`, at no further cost, where nobody asked (NOTIFY_SOCKET). */
export function openServiceManager(environment: NodeJS.ProcessEnv, pid: number, log: Log): ServiceManager | undefined {
  const { NOTIFY_SOCKET } = environment;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return undefined;
  return new SystemdManager({ NOTIFY_SOCKET, PATH: environment.PATH }, watchdogMs(environment, pid), log);
}

/** What sd_watchdog_enabled(3) reads. */
export function watchdogMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID = String(pid) } = environment;
  if (WATCHDOG_PID !== String(pid) || !/^[1-9]\d{0,15}$/.test(WATCHDOG_USEC ?? "")) return undefined;
  return Number(WATCHDOG_USEC) / 1000;
}

/** The words of the command that sends a notice: none has a line end, which would begin another assignment. */
export function wordsOf(notice: Notice): string[] {
  return Object.entries(notice).map(([name, value]) => `${name}=${value.replaceAll(/\s+/g, " ")}`);
}

class SystemdManager implements ServiceManager {
  readonly watchdogMs: number | undefined;
  private readonly env: NodeJS.ProcessEnv;
  private readonly log: Log;
  private sent: Promise<void> = Promise.resolve();
  private working = true;

  constructor(env: NodeJS.ProcessEnv, watchdogMs: number | undefined, log: Log) {
    this.env = env;
    this.watchdogMs = watchdogMs;
    this.log = log;
  }

  tell(notice: Notice): void {
    this.sent = this.sent.then(() => this.send(notice));
  }

  settled(): Promise<void> {
    return this.sent;
  }

  private async send(notice: Notice): Promise<void> {
    if (!this.working) return;
    try {
      const options = { env: this.env, stdio: "ignore", timeout: sendLimitMs } as const;
      const [status, signal] = await once(spawn(program, wordsOf(notice), options), "exit");
      if (status !== 0) this.log.warn({ status, signal }, `${program} could not tell the service manager`);
    } catch (error) {
      // It will not be there the next time either.
      this.working = false;
      this.log.warn({ err: error }, `the service manager is told nothing: ${program} cannot be run`);
    }
  }
}
