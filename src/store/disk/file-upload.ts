import { type Digest, showDigest } from "../../base/digest.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { type RunningHash, runningHash } from "../../base/hash.ts";
import { bothSettled, isPromise } from "../../base/maybe-promise.ts";
import type { Upload } from "../blob-store.ts";
import { checkRoom } from "../gathered-upload.ts";
import { verifyHash, verifySize } from "../verify-blob.ts";
import type { PieceWriter } from "./piece-writer.ts";

/** What becomes of the file of an upload; one of the two is called, once. */
export interface UploadEnd {
  /** The file is complete, verified and, where that is promised, on the disk. */
  publish(): Promise<void>;
  /** Nobody wants the file. */
  drop(): Promise<void>;
}

/** An upload that another thread has begun. */
export interface BegunElsewhere {
  readonly received: number;
  /** Throws `invalid` unless the whole file has the digest's bytes: what was hashed of it is in the other thread. */
  verify(): Promise<void>;
}

/** A large blob on its way into a file of its own: hashed here while the thread pool writes it. */
export class FileUpload implements Upload {
  readonly digest: Digest;
  received: number;
  private readonly pieces: PieceWriter;
  private readonly end: UploadEnd;
  private readonly hash: RunningHash | undefined;
  private readonly elsewhere: BegunElsewhere | undefined;
  private ended: Promise<void> | undefined;

  constructor(digest: Digest, pieces: PieceWriter, end: UploadEnd, elsewhere?: BegunElsewhere) {
    this.digest = digest;
    this.pieces = pieces;
    this.end = end;
    this.received = elsewhere?.received ?? 0;
    this.hash = elsewhere === undefined ? runningHash(digest.function) : undefined;
    this.elsewhere = elsewhere;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.mustRun();
    checkRoom(this.digest, this.received, chunk.length);
    this.received += chunk.length;
    const written = this.pieces.write(chunk);
    const hashed = this.hash?.update(chunk); // while it is being written
    const settled = isPromise(hashed) ? bothSettled(written, hashed) : written;
    return settled?.catch((error) => this.fail(error));
  }

  async rest(): Promise<void> {
    this.mustRun();
    await this.pieces.rest().catch((error) => this.fail(error));
  }

  async finish(): Promise<void> {
    this.mustRun();
    this.ended = this.complete();
    await this.ended;
  }

  async abort(): Promise<void> {
    this.ended ??= this.drop();
    await this.ended.catch(() => {}); // finish has told of it
  }

  private async complete(): Promise<void> {
    try {
      verifySize(this.digest, this.received);
      if (this.hash !== undefined) verifyHash(this.digest, await this.hash.digest("hex"));
      await this.pieces.finish();
      await this.pieces.close();
      await this.elsewhere?.verify();
    } catch (error) {
      await this.drop();
      this.fail(error);
    }
    await this.end.publish();
  }

  private async drop(): Promise<void> {
    this.hash?.close?.();
    await this.pieces.close().catch(() => {}); // the descriptor is gone all the same, and nobody wants the file
    await this.end.drop();
  }

  private mustRun(): void {
    if (this.ended === undefined) return;
    throw new StillageError("aborted", `the upload of ${showDigest(this.digest)} has ended`);
  }

  private fail(error: unknown): never {
    throw fromFileSystem(error, `cannot store ${showDigest(this.digest)}`);
  }
}
