import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { type HandedOver, LentUpload, type PlainUpload } from "../store/threads/lent-upload.ts";
import { digestOfPlain, type PlainDigest } from "../store/threads/plain.ts";
import type { StoreDesk } from "../store/threads/store-desk.ts";
import type { UploadKey, Uploads, UploadTurn } from "./uploads.ts";

export interface PlainUploadKey {
  readonly instance: string;
  readonly upload: string;
  readonly digest: PlainDigest;
}

/** A turn that a thread has been given. */
export interface PlainTurn {
  readonly upload: PlainUpload;
  /** Bytes that the client sends again although they are here. */
  readonly toSkip: number;
}

/** What the thread of the store answers. */
export type UploadAsks = ReturnType<UploadDesk["answers"]>;

/** The hook of the `Uploads` whose uploads are lent to threads. */
export async function recallUpload(upload: unknown): Promise<boolean> {
  return upload instanceof LentUpload ? upload.handOver() : true;
}

/**
 * Answers the questions of one thread's DistantUploads. The table of all uploads is here, and what waits for its client belongs to nobody else: it
 * goes on in whatever thread the client comes back to, also where the one that began it has ended.
 */
export class UploadDesk {
  private readonly uploads: Uploads;
  private readonly store: StoreDesk;
  private readonly turns = new Map<number, UploadTurn>();

  constructor(uploads: Uploads, store: StoreDesk) {
    this.uploads = uploads;
    this.store = store;
  }

  answers() {
    return {
      received: (key: PlainUploadKey): MaybePromise<number | undefined> => this.uploads.received(keyOf(key)),
      openTurn: (key: PlainUploadKey, offset: number): Promise<PlainTurn> => this.open(keyOf(key), offset),
      closeTurn: (number: number): Promise<void> => this.close(number),
      parkTurn: (number: number, soFar: HandedOver): Promise<void> => this.park(number, soFar),
    };
  }

  /** The thread has ended: so have its turns. */
  async end(): Promise<void> {
    this.store.end(); // first: a turn that is being opened would be nobody's
    await Promise.all([...this.turns.keys()].map((number) => this.close(number)));
  }

  private async open(key: UploadKey, offset: number): Promise<PlainTurn> {
    const { uploads, store } = this;
    const { instance } = key;
    const begin = {
      upload: ({ function: fn, hash, size }: UploadKey["digest"]) => store.begin(instance, [fn.value, hash, size]),
    };
    const turn = await uploads.open(begin, key, offset);
    try {
      if (turn.superseded) throw new StillageError("aborted", "the upload was continued by another call");
      const upload = store.lend(turn.upload as LentUpload);
      this.turns.set(upload.number, turn);
      return { upload, toSkip: turn.toSkip };
    } catch (error) {
      await uploads.close(turn);
      throw error;
    }
  }

  private async close(number: number): Promise<void> {
    const turn = this.turns.get(number);
    this.turns.delete(number);
    if (turn !== undefined) await this.uploads.close(turn);
  }

  private async park(number: number, soFar: HandedOver): Promise<void> {
    const turn = this.turns.get(number);
    this.turns.delete(number);
    this.store.takeBack(number, soFar);
    if (turn !== undefined) await this.uploads.suspend(turn);
  }
}

function keyOf({ instance, upload, digest }: PlainUploadKey): UploadKey {
  return { instance, upload, digest: digestOfPlain(digest) };
}
