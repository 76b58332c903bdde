import type { Digest } from "../../base/digest.ts";

/** Blobs that are known to be missing and wait to be moved, in their order, at some 150 bytes each. */
export class WaitingBlobs {
  private readonly begin: (waiting: this) => Promise<void>;
  private digests: Digest[] = [];
  private at = 0;
  private draining: Promise<void> | undefined;

  /** `begin` takes some, waits for room and begins to move them; it is called again while there are more. */
  constructor(begin: (waiting: WaitingBlobs) => Promise<void>) {
    this.begin = begin;
  }

  get length(): number {
    return this.digests.length - this.at;
  }

  push(digest: Digest): void {
    this.digests.push(digest);
    this.draining ??= this.drain();
    // Told to whoever waits, and there may be nobody yet.
    this.draining.catch(() => {});
  }

  peek(): Digest | undefined {
    return this.digests[this.at];
  }

  shift(): void {
    this.at += 1;
  }

  /** Waits where more than so many wait. Errors: those of `begin`. */
  async drained(most: number): Promise<void> {
    if (this.length > most) await this.draining;
  }

  /** Resolves when all have begun. Errors: those of `begin`, from then on at every call. */
  async settled(): Promise<void> {
    await this.draining;
  }

  private async drain(): Promise<void> {
    // What is pushed at the same time goes together.
    await undefined;
    while (this.length > 0) {
      await this.begin(this);
      if (this.at > this.digests.length / 2) {
        this.digests = this.digests.slice(this.at);
        this.at = 0;
      }
    }
    this.draining = undefined;
  }
}
