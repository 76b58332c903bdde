/** Pings in a third of the time that may pass between two pings: one may be late, and one get lost. */
const pingsPerLimit = 3;

export interface WatchdogParts {
  /** Resolves while all is well. Is not asked again before it has. */
  readonly probe: () => Promise<void>;
  readonly ping: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Gives a sign of life as long as this process turns its event loop and the probe comes back. A probe that hangs or fails
 * gives none, until whoever waits for it ends the process.
 */
export class Watchdog implements Disposable {
  private readonly parts: WatchdogParts;
  private readonly timer: NodeJS.Timeout;
  private asking = false;

  constructor(limitMs: number, parts: WatchdogParts) {
    this.parts = parts;
    this.timer = setInterval(() => void this.turn(), limitMs / pingsPerLimit);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private async turn(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      await this.parts.probe();
      this.parts.ping();
    } catch (error) {
      this.parts.onFailure(error);
    } finally {
      this.asking = false;
    }
  }
}
