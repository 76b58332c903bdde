import { ConnectionError, errorCode } from "./protocol.ts";

/** Frames that ask for nothing, within `periodMs` and without one between them that does work. */
const maxIdleFrames = 20_000;
const periodMs = 1000;

/**
 * Ends connections that keep the server busy with frames that carry no work: PING, SETTINGS, PRIORITY, RST_STREAM, empty DATA and the like.
 * Clients that ping for their estimate of the bandwidth do so once a round trip and with data between, which is far from the limit.
 */
export class FloodGuard {
  private idleFrames = 0;
  private since = 0;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** A frame that did work. */
  work(): void {
    this.idleFrames = 0;
  }

  /** A frame that did none. */
  idle(): void {
    if (this.idleFrames === 0) this.since = this.now();
    if (++this.idleFrames < maxIdleFrames) return;
    if (this.now() - this.since < periodMs)
      throw new ConnectionError(errorCode.enhanceYourCalm, "too many frames without work");
    this.idleFrames = 0;
  }
}
