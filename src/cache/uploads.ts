import type { Clock } from "../base/clock.ts";
import { type Digest, keyOfDigest, sameDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { isPromise, type MaybePromise } from "../base/maybe-promise.ts";
import type { BlobStore, Upload } from "../store/blob-store.ts";

/** How long an upload whose connection was lost waits for its client: a restart of a machine, not of a working day. */
export const idleUploadMs = 10 * 60_000;

/** Uploads that wait at the same time, over all clients. Each holds a reserved place in the store and an open file. */
export const maxIdleUploads = 256;

/** Uploads of which less has come are not kept: sending it again costs less than asking, and than the room that is reserved for all of it. */
export const minResumableBytes = 1 << 20;

/** Which upload a client means: clients use one name for many blobs at once, so the digest belongs to the key. */
export interface UploadKey {
  readonly instance: string;
  readonly upload: string;
  readonly digest: Digest;
}

const keyText = ({ instance, upload, digest }: UploadKey): string => `${instance}\n${upload}\n${keyOfDigest(digest)}`;

/** What a full store says, and what `retryWhenFull` makes of it. */
const isFull = (error: unknown): boolean =>
  error instanceof StillageError && (error.code === "exhausted" || error.code === "unavailable");

/** One client's turn at an upload. A later turn for the same upload puts an end to it. */
export class UploadTurn {
  readonly key: string;
  readonly upload: Upload;
  /** Bytes that the client sends again although they are here. */
  toSkip: number;
  /** Settles when nothing is being done with the upload. */
  quiet: Promise<unknown> | undefined;
  /** When the client went away; `undefined` while it is there. */
  idleSince: number | undefined;
  superseded = false;

  constructor(key: string, upload: Upload, toSkip: number) {
    this.key = key;
    this.upload = upload;
    this.toSkip = toSkip;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    this.check();
    let fresh = chunk;
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, chunk.length);
      this.toSkip -= skipped;
      fresh = chunk.subarray(skipped);
    }
    return this.busy(this.upload.write(fresh));
  }

  finish(): MaybePromise<void> {
    this.check();
    return this.busy(this.upload.finish());
  }

  /** Gives memory back while nobody writes. Errors: what could not be written; whoever goes on hears of it, too. */
  async rest(): Promise<void> {
    await this.busy(this.upload.rest());
  }

  private busy(work: MaybePromise<void>): MaybePromise<void> {
    if (isPromise(work)) this.quiet = work.catch(() => {});
    return work;
  }

  private check(): void {
    if (this.superseded) throw new StillageError("aborted", "the upload was continued by another call");
  }
}

/** The uploads in progress, as a door needs them. */
export interface ResumableUploads {
  /** Bytes that an upload in progress has taken; `undefined` where none is known. */
  received(key: UploadKey): MaybePromise<number | undefined>;
  /** Begins an upload at `offset` 0, or continues one. Errors: `out-of-range` where `offset` is beyond what is here, `exhausted`. */
  open(blobs: BlobStore, key: UploadKey, offset: number): Promise<UploadTurn>;
  /** Ends a turn for good: published, refused or given up. */
  close(turn: UploadTurn): Promise<void>;
  /** Ends a turn whose client went away: what came stays for a while, where that is worth it. */
  suspend(turn: UploadTurn): Promise<void>;
}

/** The uploads in progress, those whose client is gone included: they can be continued for a while. */
export class Uploads implements ResumableUploads {
  private readonly turns = new Map<string, UploadTurn>();
  private readonly clock: Clock;
  private readonly handOver: (upload: Upload) => Promise<boolean>;
  private readonly timer: NodeJS.Timeout;

  /** `handOver` settles when whoever has written to an upload writes no more, and says whether it can go on elsewhere. */
  constructor(clock: Clock, handOver: (upload: Upload) => Promise<boolean> = async () => true) {
    this.clock = clock;
    this.handOver = handOver;
    this.timer = setInterval(() => void this.expire(), idleUploadMs / 10);
    this.timer.unref();
  }

  /** Bytes that an upload in progress has taken; `undefined` where none is known. */
  received(key: UploadKey): number | undefined {
    return this.turns.get(keyText(key))?.upload.received;
  }

  /** Begins an upload at `offset` 0, or continues one. Errors: `out-of-range` where `offset` is beyond what is here, `exhausted`. */
  async open(blobs: Pick<BlobStore, "upload">, key: UploadKey, offset: number): Promise<UploadTurn> {
    const text = keyText(key);
    const turn =
      offset === 0 ? new UploadTurn(text, await this.begin(blobs, key.digest), 0) : await this.takeOver(text, offset);
    const before = this.turns.get(text);
    this.turns.set(text, turn);
    // Two clients may upload one blob under one name: each from its own beginning, unless the other one is gone.
    if (before?.idleSince !== undefined) await before.upload.abort();
    return turn;
  }

  /** Where there is no room, uploads that wait for their clients give way. */
  private async begin(blobs: Pick<BlobStore, "upload">, digest: Digest): Promise<Upload> {
    try {
      return await blobs.upload(digest);
    } catch (error) {
      const given = isFull(error) ? this.enoughFor(digest) : [];
      if (given.length === 0) throw error;
      await Promise.all(given.map((each) => this.close(each)));
      return blobs.upload(digest);
    }
  }

  /**
   * Waiting uploads whose room a blob fits in: one of the same blob, which comes under a new name now, or else the oldest.
   * None where all of them would not be enough: they were given up for nothing.
   */
  private enoughFor(digest: Digest): UploadTurn[] {
    const idle = this.idle();
    const same = idle.find(({ upload }) => sameDigest(upload.digest, digest));
    if (same !== undefined) return [same];
    let room = 0;
    for (const [i, { upload }] of idle.entries()) {
      room += upload.digest.size;
      if (room >= digest.size) return idle.slice(0, i + 1);
    }
    return [];
  }

  private async takeOver(text: string, offset: number): Promise<UploadTurn> {
    const before = this.turns.get(text);
    if (before !== undefined) {
      before.superseded = true;
      this.turns.delete(text);
      await before.quiet;
      const { upload } = before;
      const goesOn = await this.handOver(upload);
      if (goesOn && offset <= upload.received) return new UploadTurn(text, upload, upload.received - offset);
      await upload.abort();
    }
    throw new StillageError("out-of-range", `the upload cannot go on at ${offset}: less of it is here`, {
      hint: "ask QueryWriteStatus, or begin again at 0",
    });
  }

  /** Ends a turn for good: published, refused or given up. */
  async close(turn: UploadTurn): Promise<void> {
    if (this.turns.get(turn.key) === turn) this.turns.delete(turn.key);
    if (!turn.superseded) await turn.upload.abort();
  }

  /** Ends a turn whose client went away: what came stays for a while, where that is worth it. */
  async suspend(turn: UploadTurn): Promise<void> {
    if (turn.superseded) return;
    await turn.quiet;
    if (this.turns.get(turn.key) !== turn || turn.upload.received < minResumableBytes) return this.close(turn);
    await turn.rest().catch(() => {}); // whoever goes on hears of it
    if (turn.superseded || this.turns.get(turn.key) !== turn) return;
    turn.idleSince = this.clock();
    await this.expire();
  }

  /** Gives up what has waited too long, and the oldest where too many wait. */
  private async expire(): Promise<void> {
    const idle = this.idle();
    const oldest = this.clock() - idleUploadMs;
    const late = idle.filter((each, i) => (each.idleSince as number) < oldest || i < idle.length - maxIdleUploads);
    await Promise.all(late.map((each) => this.close(each)));
  }

  /** What waits for its client, the oldest first. */
  private idle(): UploadTurn[] {
    const idle = [...this.turns.values()].filter((each) => each.idleSince !== undefined);
    return idle.sort((a, b) => (a.idleSince as number) - (b.idleSince as number));
  }

  /** Gives every upload up. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.turns.values()].map((each) => this.close(each)));
  }
}
