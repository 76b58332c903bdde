import { statfsSync } from "node:fs";
import { StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";

/** The free disk space is looked up after this many bytes: between two look-ups others write as well. */
const checkEvery = 64 << 20;

/** What stays free of a disk, so that others on it and our own journals can go on: 512 MiB, of a small disk a twentieth. */
const maxReserve = 512 << 20;
const reserveFraction = 20;

/** Room that an index record, its block and the end of a file's last disk block may take beside the bytes of a blob. */
const blockBytes = 4096;

/** The bytes that a file of this length takes on a disk. */
export function onDisk(length: number): number {
  return Math.ceil(length / blockBytes) * blockBytes;
}

/** A full store refuses many uploads a second; the log has one of them in this time. */
const logEveryMs = 60_000;

/** Accounts for the bytes of a store, and says no before there is no room: at the quota, and while the disk has some left. */
export class Space {
  /** Bytes on disk and those that are promised to what is being written. */
  used = 0;
  readonly quota: number | undefined;
  private readonly directory: string;
  private readonly log: Log;
  /** Bytes to be taken before the disk is looked at again. */
  private allowance = 0;
  private logged = Number.NEGATIVE_INFINITY;

  constructor(directory: string, quota: number | undefined, log: Log) {
    this.directory = directory;
    this.quota = quota;
    this.log = log;
  }

  /** Promises `bytes` to what is about to be written. Errors: `exhausted`. */
  take(bytes: number): void {
    this.keepQuota(bytes);
    if (bytes > this.allowance) this.lookAtDisk(bytes);
    this.allowance -= bytes;
    this.used += bytes;
  }

  /** As `take`, for bytes that are on the disk already and shared from now on. */
  takeShared(bytes: number): void {
    this.keepQuota(bytes);
    this.used += bytes;
  }

  /** Counts what is there, or has to be written, whatever the limits say. */
  add(bytes: number): void {
    this.used += bytes;
  }

  /** Takes back what `take` or `add` counted. */
  giveBack(bytes: number): void {
    this.used -= bytes;
  }

  private keepQuota(bytes: number): void {
    if (this.quota !== undefined && this.used + bytes > this.quota) {
      throw this.refusal(
        `the store is full: it has ${this.used} of ${this.quota} bytes in use and ${bytes} more are needed`,
        "raise the quota, or remove what is no longer needed",
      );
    }
  }

  private lookAtDisk(bytes: number): void {
    const disk = statfsSync(this.directory);
    const free = disk.bavail * disk.bsize;
    const reserve = Math.min(maxReserve, (disk.blocks * disk.bsize) / reserveFraction);
    if (free - bytes < reserve) {
      throw this.refusal(
        `the disk is nearly full: ${free} bytes are free, ${bytes} more are needed, and ${Math.ceil(reserve)} are kept free`,
        "make room on the disk that holds the store",
      );
    }
    this.allowance = Math.min(bytes + checkEvery, free - reserve);
  }

  private refusal(message: string, hint: string): StillageError {
    const now = performance.now();
    if (now - this.logged >= logEveryMs) {
      this.logged = now;
      this.log.warn({ directory: this.directory, hint }, `an upload is refused: ${message}`);
    }
    return new StillageError("exhausted", message, { hint });
  }
}
