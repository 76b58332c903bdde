import { StillageError } from "../base/errors.ts";
import { exitStatus } from "./exit-status.ts";

/**
 * What Ctrl-C, SIGTERM and SIGHUP mean to a build: the first Ctrl-C begins nothing more; the second, a SIGTERM, or the end of the terminal, ends what runs, gently and in seconds; another one ends the program, and whatever it had started
 * is ended behind it. Disposing gives the signals back their usual effect.
 */
export class BuildSignals implements Disposable {
  private readonly stopped = new AbortController();
  private readonly aborted = new AbortController();
  private readonly told: (text: string) => void;

  constructor(told: (text: string) => void) {
    this.told = told;
    process.on("SIGINT", this.onInterrupt).on("SIGTERM", this.onTerminate).on("SIGHUP", this.onTerminate);
  }

  get stop(): AbortSignal {
    return this.stopped.signal;
  }

  get abort(): AbortSignal {
    return this.aborted.signal;
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.onInterrupt).off("SIGTERM", this.onTerminate).off("SIGHUP", this.onTerminate);
  }

  private readonly onInterrupt = (): void => {
    if (this.stop.aborted) {
      this.end();
      return;
    }
    this.told("nothing more is begun; what runs goes on to its end. Ctrl-C ends that, too.");
    this.stopped.abort(interrupted());
  };

  private readonly onTerminate = (): void => {
    this.stopped.abort(interrupted());
    this.end();
  };

  private end(): void {
    if (this.abort.aborted) process.exit(exitStatus.failed);
    this.told("what runs is ended");
    this.aborted.abort(interrupted());
  }
}

function interrupted(): StillageError {
  return new StillageError("cancelled", "interrupted; what was done is kept, and the same command goes on");
}
