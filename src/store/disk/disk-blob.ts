import { readSync } from "node:fs";
import { type Digest, showDigest } from "../../base/digest.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { Blob } from "../blob-store.ts";
import { readFully } from "./file-io.ts";
import type { ReadPace } from "./read-pace.ts";

/** Reads of more than this go to the thread pool: meanwhile this one can send. */
const atOnceBytes = 256 << 10;

/** A blob that lies in an open file from a position on. */
export class DiskBlob implements Blob {
  readonly digest: Digest;
  readonly fd: number;
  readonly start: number;
  private readonly pace: ReadPace;
  private letGo: (() => void) | undefined;

  /** `letGo` is called when the file is no longer needed. */
  constructor(digest: Digest, at: { readonly fd: number; readonly start: number }, pace: ReadPace, letGo: () => void) {
    this.digest = digest;
    this.fd = at.fd;
    this.start = at.start;
    this.pace = pace;
    this.letGo = letGo;
  }

  read(buffer: Uint8Array, position: number): MaybePromise<void> {
    const from = this.start + position;
    try {
      if (buffer.length > atOnceBytes || !this.pace.atOnce) return this.readLater(buffer, from);
      this.check(
        this.pace.measure(() => readSync(this.fd, buffer, 0, buffer.length, from)),
        buffer.length,
      );
    } catch (error) {
      throw this.failure(error);
    }
  }

  close(): void {
    this.letGo?.();
    this.letGo = undefined;
  }

  private async readLater(buffer: Uint8Array, from: number): Promise<void> {
    const count = await readFully(this.fd, buffer, from).catch((error) => {
      throw this.failure(error);
    });
    this.check(count, buffer.length);
  }

  private check(count: number, wanted: number): void {
    if (count === wanted) return;
    throw new StillageError("corrupt", `the file that holds ${showDigest(this.digest)} ends before the blob does`);
  }

  private failure(error: unknown): StillageError {
    return fromFileSystem(error, `cannot read ${showDigest(this.digest)}`);
  }
}
