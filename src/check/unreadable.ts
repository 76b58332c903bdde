import { showDigest } from "../base/digest.ts";
import type { Log } from "../base/log.ts";
import type { Placed } from "./scrub-walk.ts";

/** After the first failure to read a blob and after the second; after the third one it is given up. */
const pausesMs = [600_000, 3_600_000];

/** A disk on which more than these cannot be read in one round has a fault of its own: then nothing is given up, as it may come back. */
const maxSuspects = 64;

interface Suspect {
  readonly blob: Placed;
  tries: number;
  next: number;
}

/** Blobs that the disk refused to give. That is not rot: a cable, a controller or a network may be back in a while. */
export class Unreadable {
  /** Reads that have failed. */
  errors = 0;
  private readonly log: Log;
  private readonly suspects = new Map<string, Suspect>();
  private overflowed = false;

  constructor(log: Log) {
    this.log = log;
  }

  beginRound(): void {
    this.overflowed = false;
  }

  /** Notes a failure, and returns whether the blob is to be given up. `now`: milliseconds on a clock that only goes forward. */
  failed(blob: Placed, error: NodeJS.ErrnoException, now: number): boolean {
    this.errors++;
    const key = keyOf(blob);
    const suspect = this.suspects.get(key) ?? { blob, tries: 0, next: 0 };
    const pause = pausesMs[suspect.tries++];
    const { digest, shelf, path } = blob;
    const what = { err: error, blob: showDigest(digest), instance: shelf.instance, path, tries: suspect.tries };
    this.log.error(what, "a blob cannot be read from the disk");
    if (pause === undefined) {
      this.suspects.delete(key);
      return !this.overflowed;
    }
    suspect.next = now + pause;
    if (this.suspects.has(key) || this.suspects.size < maxSuspects) this.suspects.set(key, suspect);
    else if (!this.overflowed) {
      this.overflowed = true;
      this.log.error({}, "many blobs cannot be read: it is the disk, and no blob is given up for now");
    }
    return false;
  }

  /** It could be read, or is gone. */
  settled(blob: Placed): void {
    this.suspects.delete(keyOf(blob));
  }

  /** Those whose time has come. */
  due(now: number): Placed[] {
    if (this.suspects.size === 0) return [];
    return [...this.suspects.values()].filter(({ next }) => next <= now).map(({ blob }) => blob);
  }
}

function keyOf({ path, offset }: Placed): string {
  return `${path} ${offset}`;
}
