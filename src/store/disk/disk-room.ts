import { statfsSync } from "node:fs";

/** The free disk space is looked up after this many bytes: between two look-ups others write as well. */
const checkEvery = 64 << 20;

/** What stays free of a disk, so that others on it and our own journals can go on: 512 MiB, of a small disk a twentieth. */
const maxReserve = 512 << 20;
const reserveFraction = 20;

/** Why something does not fit. */
export interface NoRoom {
  readonly message: string;
  readonly hint: string;
}

/** Sees to it that a disk has some room left. */
export class DiskRoom {
  private readonly directory: string;
  /** Bytes to be written before the disk is looked at again. */
  private allowance = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Takes note that `bytes` are going to be written, unless it says why not. */
  take(bytes: number): NoRoom | undefined {
    const refusal = bytes > this.allowance ? this.look(bytes) : undefined;
    if (refusal === undefined) this.allowance -= bytes;
    return refusal;
  }

  private look(bytes: number): NoRoom | undefined {
    const disk = statfsSync(this.directory);
    const free = disk.bavail * disk.bsize;
    const reserve = Math.min(maxReserve, (disk.blocks * disk.bsize) / reserveFraction);
    if (free - bytes >= reserve) {
      this.allowance = Math.min(bytes + checkEvery, free - reserve);
      return undefined;
    }
    return {
      message: `the disk is nearly full: ${free} bytes are free, ${bytes} more are needed, and ${Math.ceil(reserve)} are kept free`,
      hint: "make room on the disk that holds the store",
    };
  }
}
