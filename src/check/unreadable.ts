import { constants } from "node:os";
import { showDigest } from "../base/digest.ts";
import type { Log } from "../base/log.ts";
import type { Placed } from "./scrub-walk.ts";

/** After the first failure to read a blob and after the second; after the third one it is given up. */
const pausesMs = [600_000, 3_600_000];

/** A disk on which more than these cannot be read in one round has a fault of its own: then nothing is given up, as it may come back. */
const maxSuspects = 64;

/** EUCLEAN of Linux, with which a file system says that it is damaged. */
const unclean = 117;

/** What the system says of a disk that does not give its bytes (Linux: block/blk-core.c, and the file systems' own checksums). */
const ofMedium: ReadonlySet<number | undefined> = new Set([
  constants.errno.EIO,
  constants.errno.ENODATA,
  constants.errno.EILSEQ,
  constants.errno.EBADMSG,
  unclean,
]);

const ofShortage: ReadonlySet<number | undefined> = new Set([
  constants.errno.EMFILE,
  constants.errno.ENFILE,
  constants.errno.ENOMEM,
  constants.errno.EAGAIN,
]);

/** Whether the process or the machine is short of something: that says nothing of a blob. */
export function isShortage({ errno }: NodeJS.ErrnoException): boolean {
  return errno !== undefined && ofShortage.has(Math.abs(errno));
}

function isOfMedium({ errno }: NodeJS.ErrnoException): boolean {
  return errno !== undefined && ofMedium.has(Math.abs(errno));
}

interface Suspect {
  readonly blob: Placed;
  tries: number;
  next: number;
}

/**
 * Blobs that the disk refused to give. That is not rot: a cable, a controller or a network may be back in a while. What is refused for another reason than the
 * disk, such as its owner or mode, is told of and never given up.
 */
export class Unreadable {
  /** Reads that have failed. */
  errors = 0;
  private readonly log: Log;
  private readonly suspects = new Map<string, Suspect>();
  private overflowed = false;
  /** Errors that were told of one by one in this round. */
  private told = 0;

  constructor(log: Log) {
    this.log = log;
  }

  beginRound(): void {
    this.told = 0;
    if (this.suspects.size === 0) this.overflowed = false;
  }

  /** Notes a failure, and returns whether the blob is to be given up. `now`: milliseconds on a clock that only goes forward. */
  failed(blob: Placed, error: NodeJS.ErrnoException, now: number): boolean {
    this.errors++;
    const key = keyOf(blob);
    const known = this.suspects.get(key);
    if (!isOfMedium(error)) {
      this.tell(blob, error, known?.tries ?? 0);
      if (known !== undefined) known.next = now + (pausesMs[0] as number);
      return false;
    }
    const suspect = known ?? { blob, tries: 0, next: 0 };
    const pause = pausesMs[suspect.tries++];
    this.tell(blob, error, suspect.tries);
    if (pause === undefined) {
      this.suspects.delete(key);
      return !this.overflowed;
    }
    suspect.next = now + pause;
    if (known !== undefined || this.suspects.size < maxSuspects) this.suspects.set(key, suspect);
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

  /** Not of each of millions on a disk that is gone. */
  private tell({ digest, shelf, path }: Placed, error: NodeJS.ErrnoException, tries: number): void {
    if (++this.told > 3 * maxSuspects) return;
    const what = { err: error, blob: showDigest(digest), instance: shelf.instance, path, tries };
    this.log.error(what, "a blob cannot be read from the disk");
  }
}

function keyOf({ path, offset }: Placed): string {
  return `${path} ${offset}`;
}
