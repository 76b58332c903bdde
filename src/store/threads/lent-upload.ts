import type { Digest } from "../../base/digest.ts";
import { showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { Upload } from "../blob-store.ts";
import type { UploadEnd } from "../disk/file-upload.ts";
import type { PieceWriter, WrittenSoFar } from "../disk/piece-writer.ts";
import type { BegunUpload } from "../disk/shelf.ts";

/** Where another thread can go on with an upload. */
export interface HandedOver extends WrittenSoFar {
  readonly received: number;
}

/** What a thread needs to take the bytes of an upload. */
export interface PlainUpload {
  /** What it is called in questions about it. */
  readonly number: number;
  /** Where the bytes go; `undefined` for those that are gathered: then `soFar.kept` is all that has come. */
  readonly file:
    | { readonly fd: number; readonly path: string; readonly direct: boolean; readonly durable: boolean }
    | undefined;
  /** A Float64: the bytes taken so far, for the thread of the store to see. */
  readonly received: SharedArrayBuffer;
  /** What came of it in another thread; `undefined` at the beginning. */
  readonly soFar: HandedOver | undefined;
}

/**
 * An upload whose bytes another thread takes, verifies, and writes to the file. Here is what it holds of the store: room, a name, a
 * descriptor, which only this thread opens and closes. Where the other thread ends, nothing of it writes any more, and `abort` frees all that.
 */
export class LentUpload implements Upload {
  readonly digest: Digest;
  private readonly begun: BegunUpload;
  private readonly count = new Float64Array(new SharedArrayBuffer(8));
  private soFar: HandedOver | undefined;
  /** Asks the thread that has it to stop. */
  private recall: (() => Promise<HandedOver | undefined>) | undefined;
  private ended: Promise<void> | undefined;

  constructor(digest: Digest, begun: BegunUpload) {
    this.digest = digest;
    this.begun = begun;
  }

  get received(): number {
    return this.count[0] as number;
  }

  /** Gives it to a thread, which knows it by a number. Errors: `aborted` where it has ended. */
  lend(number: number, recall: () => Promise<HandedOver | undefined>): PlainUpload {
    this.mustRun();
    this.recall = recall;
    const { file } = this.begun;
    return {
      number,
      file: file && { fd: file.pieces.fd, path: file.path, ...file.pieces.mode },
      received: this.count.buffer,
      soFar: this.soFar,
    };
  }

  /** The thread that had it writes no more: this is where the next one goes on. */
  park(soFar: HandedOver): void {
    this.recall = undefined;
    this.soFar = soFar;
    this.count[0] = soFar.received;
  }

  /** Has whoever writes stop; `false` where it ends with him. Errors: what kept that thread from stopping; the upload is lost then. */
  async handOver(): Promise<boolean> {
    if (this.ended !== undefined) return false;
    const { recall, soFar: before } = this;
    if (recall === undefined) return true;
    this.recall = undefined;
    try {
      const soFar = await recall();
      if (soFar !== undefined) this.park(soFar);
      return this.soFar !== before; // it may have been parked meanwhile
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Stores the bytes of one that was gathered, which have been verified. */
  async keep(bytes: Uint8Array): Promise<void> {
    this.mustRun();
    const { file, end } = this.begun;
    if (file !== undefined) throw new StillageError("internal", "the bytes of this upload are in a file");
    this.ended = end.store(bytes, true);
    await this.ended;
  }

  /** Publishes the file, which is complete, verified, and on the disk. */
  async publish(): Promise<void> {
    this.mustRun();
    const { file, end } = this.begun;
    if (file === undefined) throw new StillageError("internal", "this upload has no file");
    this.ended = closeAndPublish(file.pieces, end);
    await this.ended;
  }

  async abort(): Promise<void> {
    this.ended ??= this.drop();
    await this.ended.catch(() => {}); // whoever ended it was told
  }

  write(): never {
    throw new StillageError("internal", "another thread takes the bytes of this upload");
  }

  async rest(): Promise<void> {}

  finish(): Promise<void> {
    return this.publish();
  }

  private async drop(): Promise<void> {
    const { file, end } = this.begun;
    await file?.pieces.close().catch(() => {}); // the descriptor is gone all the same, and nobody wants the file
    await end.drop();
  }

  private mustRun(): void {
    if (this.ended === undefined) return;
    throw new StillageError("aborted", `the upload of ${showDigest(this.digest)} has ended`);
  }
}

async function closeAndPublish(pieces: PieceWriter, end: UploadEnd): Promise<void> {
  try {
    await pieces.close();
  } catch (error) {
    await end.drop();
    throw error;
  }
  await end.publish();
}
