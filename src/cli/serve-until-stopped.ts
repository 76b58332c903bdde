import { isatty } from "node:tty";
import type { Logger } from "pino";
import { asStillageError, StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { openLog } from "../base/log-pino.ts";
import type { Config } from "../config/config.ts";
import type { RunningServer } from "../server/app.ts";
import { takeHandedSockets } from "../server/handed-sockets.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { exitStatus } from "./exit-status.ts";
import { sentence } from "./sentence.ts";
import { openServiceManager } from "./service-manager.ts";
import { Signals } from "./signals.ts";
import { Supervision } from "./supervision.ts";
import { version } from "./version.ts";

const standardError = 2;

/** What runs between start and stop; how full the store is only whoever has it knows. */
export type Running = Pick<RunningServer, "listeners" | "reload" | "close"> &
  Partial<Pick<RunningServer, "usage" | "answers">>;

export interface Program<T extends Running> {
  /** What messages to the person who starts it begin with. */
  readonly name: string;
  readonly start: (options: ServerOptions, log: Log) => Promise<T>;
  /** Called once the server is ready. */
  readonly greet?: (server: T) => void;
}

/**
 * Serves until a signal says otherwise, and gives the exit status. What keeps it from starting is said in one sentence to the person who
 * starts it; everything later goes to the log.
 */
export async function serveUntilStopped<T extends Running>(config: Config, program: Program<T>): Promise<number> {
  const { logLevel, logFormat } = config;
  const format = logFormat === "auto" ? (isatty(standardError) ? "text" : "json") : logFormat;
  const log = openLog({ level: logLevel, format, fd: standardError });
  using signals = new Signals();
  const manager = openServiceManager(process.env, process.pid, log);
  using supervision = manager && new Supervision(manager, config.store, log);
  const sockets = takeHandedSockets(process.env, process.pid);
  const crashed = signals.crash.then((error) => {
    log.error({ err: error }, "an error that nothing caught ends the server");
    return exitStatus.failed;
  });
  const cut = signals.stopAtOnce.then((signal) => {
    log.warn({ signal }, "stopped at once; running calls were cut");
    return exitStatus.failed;
  });
  const served = program.start({ ...config, version, sockets }, log).then(
    (server) => {
      program.greet?.(server);
      return run(server, { config, log, signals, supervision });
    },
    (error: unknown) => {
      process.stderr.write(`${program.name}: ${sentence(withHint(error), "the server cannot start")}\n`);
      return exitStatus.failed;
    },
  );
  // Awaited here, or the signals would be given back at once.
  const status = await Promise.race([served, cut, crashed]);
  await manager?.settled();
  return status;
}

function withHint(error: unknown): unknown {
  if (!isInUse(error)) return error;
  const hint = "stop that server, or name another directory";
  return new StillageError("failed-precondition", (error as Error).message, { hint, cause: error });
}

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  readonly signals: Signals;
  readonly supervision: Supervision | undefined;
}

async function run(server: Running, { config, log, signals, supervision }: Surroundings): Promise<number> {
  const { listeners } = server;
  signals.onReload = () => {
    const reloaded = (): Promise<void> => reload(server, log);
    void (supervision === undefined ? reloaded() : supervision.reload(server, reloaded));
  };
  // Whoever starts a server waits for this line, whatever else is to be logged.
  log.child({}, { level: "info" }).info({ listeners, store: config.store, ...server.usage?.(), version }, "ready");
  supervision?.ready(server);
  const signal = await signals.stop;
  log.info({ signal, graceMs: config.graceMs }, "stopping");
  supervision?.stop(config.graceMs);
  try {
    await server.close(config.graceMs);
    log.info({}, "stopped");
    return exitStatus.done;
  } catch (error) {
    log.error({ err: error }, "the server did not stop as it should");
    return exitStatus.failed;
  }
}

async function reload(server: Running, log: Log): Promise<void> {
  try {
    await server.reload();
    log.info({}, "certificates and rights reloaded");
  } catch (error) {
    const { code, message, cause } = asStillageError(error);
    log.error(code === "internal" ? { code, err: cause ?? error } : { code }, message);
  }
}
