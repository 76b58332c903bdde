import { isatty } from "node:tty";
import { StillageError } from "../base/errors.ts";
import { exitStatus } from "./exit-status.ts";
import { reportFailure } from "./report-failure.ts";
import { Signals } from "./signals.ts";

/**
 * Runs a command's work and gives its exit status; failures are printed. A signal asks the work to stop, a second one ends the process. So does a terminal that is
 * closed; whoever wants the work to outlive that gives it none, as `nohup` does.
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
  texts: string | readonly [stopped: string, stoppedAtOnce: string],
): Promise<number> {
  const [stopped, stoppedAtOnce] = typeof texts === "string" ? [texts, "stopped at once"] : texts;
  using signals = new Signals();
  const stop = new AbortController();
  const stopNow = (): void => stop.abort(new StillageError("cancelled", stopped));
  void signals.stop.then(stopNow);
  if ([0, 1, 2].some((fd) => isatty(fd))) signals.onReload = stopNow;
  const atOnce = signals.stopAtOnce.then(() => new StillageError("cancelled", stoppedAtOnce));
  const failed = Promise.race([signals.crash, atOnce]).then((error) => {
    reportFailure(error);
    // What is under way on the disk is not waited for, and would be if this only returned.
    process.exit(exitStatus.failed);
  });
  // Awaited here, or the signals would be given back at once.
  return await Promise.race([work(stop.signal).catch(reportFailure), failed]);
}
