import { ConnectionError, errorCode } from "./protocol.ts";

/** Frames that ask for nothing, within `periodMs` and without one between them that does work. */
const maxIdleFrames = 20_000;
const periodMs = 1000;

/**
 * Requests that a client may give up before they are answered: so many at once, as somebody does who stops a large download or build, and so many a
 * second from then on. Each has cost as much as one that was answered.
 */
const maxGivenUp = 10_000;
const givenUpPerSecond = 1000;

/**
 * Ends connections that keep the server busy with frames that carry no work: PING, SETTINGS, PRIORITY, empty DATA, RST_STREAM of what is over and the like;
 * and those that have work begun only to give it up (CVE-2023-44487). Clients that ping for their estimate of the bandwidth do so once a round trip and with
 * data between, which is far from the limit. The reset of a request that has its whole answer costs nothing more than its frame: libcurl 7.88, and with
 * it `ostree pull`, sends one after every single answer.
 */
export class FloodGuard {
  private idleFrames = 0;
  private since = 0;
  private givenUp = 0;
  private givenUpSince = 0;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The client has reset a stream whose answer it has not got. */
  giveUp(): void {
    const now = this.now();
    const paid = ((now - this.givenUpSince) / 1000) * givenUpPerSecond;
    this.givenUp = Math.max(0, this.givenUp - paid) + 1;
    this.givenUpSince = now;
    if (this.givenUp > maxGivenUp)
      throw new ConnectionError(errorCode.enhanceYourCalm, "too many requests begun and given up");
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
