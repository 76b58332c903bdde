import type { ThreadLine } from "../base/thread-line.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { DistantStore } from "../store/threads/distant-store.ts";
import type { DistantUpload } from "../store/threads/distant-upload.ts";
import type { HandedOver } from "../store/threads/lent-upload.ts";
import { plainDigest } from "../store/threads/plain.ts";
import { refuseForAWhile, retryUploadWhenFull } from "../store/wrap/retry-when-full.ts";
import type { PlainUploadKey, UploadAsks } from "./upload-desk.ts";
import { minResumableBytes, type ResumableUploads, type UploadKey, UploadTurn } from "./uploads.ts";

/** A turn of this thread, and the upload beneath it. */
interface Taken {
  readonly turn: UploadTurn;
  readonly upload: DistantUpload;
  /** Settles when it is given up, once that has begun: it may be written to until then. */
  closing: Promise<void> | undefined;
}

/** The uploads whose table another thread has: those of its clients this thread takes, and gives back when a client goes away or comes back elsewhere. */
export class DistantUploads implements ResumableUploads {
  private readonly line: ThreadLine<UploadAsks>;
  private readonly store: DistantStore;
  private readonly taken = new Map<string, Taken>();

  constructor(line: ThreadLine<UploadAsks>, store: DistantStore) {
    this.line = line;
    this.store = store;
  }

  received(key: UploadKey): Promise<number | undefined> {
    return this.line.ask("received", plainKey(key));
  }

  async open(_blobs: BlobStore, key: UploadKey, offset: number): Promise<UploadTurn> {
    const begun = await this.line.ask("openTurn", plainKey(key), offset).catch(refuseForAWhile);
    const upload = this.store.take(key.digest, begun.upload);
    const turn = new UploadTurn(String(upload.number), retryUploadWhenFull(upload), begun.toSkip);
    this.taken.set(turn.key, { turn, upload, closing: undefined });
    return turn;
  }

  async close(turn: UploadTurn): Promise<void> {
    const taken = this.taken.get(turn.key);
    if (turn.superseded || taken === undefined) return this.forget(turn);
    taken.closing ??= this.giveUp(turn);
    await taken.closing;
  }

  private async giveUp(turn: UploadTurn): Promise<void> {
    try {
      await turn.upload.abort();
    } finally {
      this.taken.delete(turn.key);
    }
    await this.line.ask("closeTurn", Number(turn.key));
  }

  async suspend(turn: UploadTurn): Promise<void> {
    await turn.quiet;
    const taken = this.taken.get(turn.key);
    if (turn.superseded || taken === undefined) return this.forget(turn);
    if (turn.upload.received < minResumableBytes) return this.close(turn);
    try {
      await turn.rest();
    } catch {
      return this.close(turn); // what was not written cannot be continued
    }
    if (turn.superseded || taken.closing !== undefined) return this.forget(turn);
    this.taken.delete(turn.key);
    await this.line.ask("parkTurn", taken.upload.number, taken.upload.handOver());
  }

  /** A turn that is over has ended here as well; the upload is not touched. */
  private forget(turn: UploadTurn): void {
    this.line.tell("closeTurn", Number(turn.key));
  }

  /** Another thread goes on with an upload: its turn here is over. `undefined` where it is over already, and nothing of it writes any more. */
  async recall(number: number): Promise<HandedOver | undefined> {
    // The answer that gave it to this thread may have come in the same message, and whoever waits for that not have gone on.
    if (!this.taken.has(String(number))) await new Promise((resolve) => setImmediate(resolve));
    const taken = this.taken.get(String(number));
    if (taken === undefined) return undefined;
    const { turn, upload, closing } = taken;
    if (closing !== undefined) {
      await closing;
      return undefined;
    }
    turn.superseded = true;
    this.taken.delete(turn.key);
    await turn.quiet;
    try {
      await upload.rest();
    } catch (error) {
      await upload.abort(); // nobody else gives its memory back
      throw error;
    }
    return upload.handOver();
  }
}

function plainKey({ instance, upload, digest }: UploadKey): PlainUploadKey {
  return { instance, upload, digest: plainDigest(digest) };
}
