import { StillageError } from "../base/errors.ts";

/** How often is looked whether the session is still there. */
const lookMs = 1000;

/** The first process: whose parent has ended becomes its child. */
const firstProcess = 1;

/**
 * The ssh session that a command serves. sshd ends nothing when a connection is gone, and the ports that it forwarded are anybody's from then on. It is noticed by the
 * parent of this process, which is sshd itself, as shells replace themselves with a command that is their last one.
 */
export class SshSession implements Disposable {
  /** Aborted when the session has ended, or `signal` was. */
  readonly signal: AbortSignal;
  private readonly ended = new AbortController();
  private readonly parent: () => number;
  private readonly sshd: number;
  private readonly timer: NodeJS.Timeout;

  constructor(signal: AbortSignal, parent: () => number = () => process.ppid) {
    this.parent = parent;
    this.sshd = parent();
    this.signal = AbortSignal.any([signal, this.ended.signal]);
    this.timer = setInterval(() => this.look(), lookMs);
    this.timer.unref();
  }

  /** Errors: `cancelled` where there is no session any more, the signal's reason. */
  check(): void {
    this.look();
    this.signal.throwIfAborted();
  }

  /** Ends it, also where somebody else has found that nobody is there any more. */
  end(): void {
    this.ended.abort(new StillageError("cancelled", "the connection of whoever asked is gone"));
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = this.parent();
    if (now !== this.sshd || now === firstProcess) this.end();
  }
}
