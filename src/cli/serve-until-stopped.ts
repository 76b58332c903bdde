import { isatty } from "node:tty";
import type { Logger } from "pino";
import { asStillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { openLog } from "../base/log-pino.ts";
import type { Config } from "../config/config.ts";
import type { RunningServer } from "../server/app.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { exitStatus } from "./exit-status.ts";
import { sentence } from "./sentence.ts";
import { Signals } from "./signals.ts";
import { version } from "./version.ts";

const standardError = 2;

/** What runs between start and stop; how full the store is only whoever has it knows. */
export type Running = Pick<RunningServer, "listeners" | "reload" | "close"> & Partial<Pick<RunningServer, "usage">>;

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
  const crashed = signals.crash.then((error) => {
    log.error({ err: error }, "an error that nothing caught ends the server");
    return exitStatus.failed;
  });
  const cut = signals.stopAtOnce.then((signal) => {
    log.warn({ signal }, "stopped at once; running calls were cut");
    return exitStatus.failed;
  });
  const served = program.start({ ...config, version }, log).then(
    (server) => {
      program.greet?.(server);
      return run(server, config, log, signals);
    },
    (error: unknown) => {
      process.stderr.write(`${program.name}: ${sentence(error, "the server cannot start")}\n`);
      return exitStatus.failed;
    },
  );
  // Awaited here, or the signals would be given back at once.
  return await Promise.race([served, cut, crashed]);
}

async function run(server: Running, config: Config, log: Logger, signals: Signals): Promise<number> {
  const { listeners } = server;
  signals.onReload = () => void reload(server, log);
  // Whoever starts a server waits for this line, whatever else is to be logged.
  log.child({}, { level: "info" }).info({ listeners, store: config.store, ...server.usage?.(), version }, "ready");
  const signal = await signals.stop;
  log.info({ signal, graceMs: config.graceMs }, "stopping");
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
