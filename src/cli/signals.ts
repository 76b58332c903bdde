/** What the operator and the system tell a server while it runs. Disposing gives the signals back their usual effect. */
export class Signals implements Disposable {
  /** What SIGHUP does. */
  onReload: () => void = () => {};
  private readonly first = Promise.withResolvers<NodeJS.Signals>();
  private readonly second = Promise.withResolvers<NodeJS.Signals>();
  private readonly uncaught = Promise.withResolvers<unknown>();
  private stopping = false;

  constructor() {
    process.on("SIGTERM", this.onStop).on("SIGINT", this.onStop).on("SIGHUP", this.onHangUp);
    process.on("uncaughtException", this.uncaught.resolve);
  }

  /** SIGTERM or SIGINT. */
  get stop(): Promise<NodeJS.Signals> {
    return this.first.promise;
  }

  /** Another of them. */
  get stopAtOnce(): Promise<NodeJS.Signals> {
    return this.second.promise;
  }

  /** An error that nobody caught. */
  get crash(): Promise<unknown> {
    return this.uncaught.promise;
  }

  [Symbol.dispose](): void {
    process.off("SIGTERM", this.onStop).off("SIGINT", this.onStop).off("SIGHUP", this.onHangUp);
    process.off("uncaughtException", this.uncaught.resolve);
  }

  private readonly onStop = (signal: NodeJS.Signals): void => {
    (this.stopping ? this.second : this.first).resolve(signal);
    this.stopping = true;
  };

  private readonly onHangUp = (): void => this.onReload();
}
