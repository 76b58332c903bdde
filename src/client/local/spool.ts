import { randomBytes } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { cacheFailure } from "./cache-failure.ts";
import type { Extent } from "./tar-contents.ts";

/**
 * What comes for an archive before its order is known, in a file without a name beside it: a crash leaves nothing. Made with the first bytes. Errors: those of the
 * file system; `forbidden` where the archive is only read.
 */
export class Spool {
  private readonly path: string;
  private readonly isReadOnly: boolean;
  private fd: number | undefined;
  private length = 0;
  private isChanged = false;

  constructor(path: string, isReadOnly: boolean) {
    this.path = path;
    this.isReadOnly = isReadOnly;
  }

  /** Whether the archive is to be written. */
  get hasChanges(): boolean {
    return this.isChanged;
  }

  changed(): void {
    if (this.isReadOnly) throw new StillageError("forbidden", `${this.path} is only read`);
    this.isChanged = true;
  }

  /** The archive has been written with all that came. */
  saved(): void {
    this.isChanged = false;
  }

  put(bytes: Uint8Array): Extent {
    const extent = this.reserve(bytes.length);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(extent.fd, bytes, at, bytes.length - at, extent.offset + at);
      }
    } catch (error) {
      throw this.failure(error);
    }
    return extent;
  }

  /** Room for what comes in pieces. Several are written beside one another; one that is left is a hole. */
  reserve(size: number): Extent {
    this.changed();
    const fd = this.open();
    const offset = this.length;
    this.length += size;
    return { fd, offset, size };
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private open(): number {
    if (this.fd !== undefined) return this.fd;
    const temporary = join(dirname(this.path), `.stillage-${process.pid}-${randomBytes(6).toString("hex")}`);
    try {
      this.fd = openSync(temporary, "wx+", 0o600);
      unlinkSync(temporary);
    } catch (error) {
      throw this.failure(error);
    }
    return this.fd;
  }

  /** What an error of the file system is told as. */
  failure(error: unknown): StillageError {
    return cacheFailure(error, `writing ${this.path}`);
  }
}
