import type { BufferPool } from "../../base/buffer-pool.ts";
import { StillageError } from "../../base/errors.ts";
import { directAlignment } from "./direct-io.ts";
import { closeFile, syncData, truncateFile, writeAll } from "./file-io.ts";

/** What is gathered for one write: much, so that one upload is fast; or little, where many share the memory. */
export const largePieceBytes = 512 << 10;
export const smallPieceBytes = 128 << 10;

/** A sync of what lies in the page cache runs in the background after this much, so that little is left for the one at the end. */
const syncEveryBytes = 8 << 20;

/** How a file is written. */
export interface WriteMode {
  /** It is going to be synced at the end. */
  readonly durable: boolean;
  /** The descriptor was opened with `directCreate`. */
  readonly direct: boolean;
  /** Somebody else closes the descriptor. */
  readonly lent?: boolean;
}

/** Where a writer goes on: what of the file is written, and the bytes behind it that wait to be. */
export interface WrittenSoFar {
  readonly position: number;
  readonly kept: Uint8Array;
}

const nothing: WrittenSoFar = { position: 0, kept: new Uint8Array(0) };

/** Writes a file from its beginning to its end, one write at a time, while the next piece gathers. */
export class PieceWriter {
  readonly fd: number;
  readonly mode: WriteMode;
  private readonly pool: BufferPool;
  private gathered: Buffer<ArrayBuffer> | undefined;
  private filled = 0;
  /** What was gathered when there was a rest, while there is no buffer. */
  private kept: Uint8Array;
  private position: number;
  private unsynced = 0;
  private writing: Promise<void> | undefined;
  private syncing: Promise<void> | undefined;
  private failure: unknown;
  private closed = false;

  /** The pool's buffers are aligned, and their size is that of a piece. */
  constructor(fd: number, pool: BufferPool, mode: WriteMode, { position, kept } = nothing) {
    this.fd = fd;
    this.pool = pool;
    this.mode = mode;
    this.kept = kept;
    this.filled = kept.length;
    this.position = position;
  }

  /** Where another writer can go on: nothing else has been taken since a `rest`. */
  get rested(): WrittenSoFar {
    return { position: this.position, kept: this.kept };
  }

  /** Takes the next bytes, which are free for other use once this settles. */
  write(chunk: Uint8Array): void | Promise<void> {
    const rest = this.gather(chunk);
    if (rest.length > 0) return this.writeOn(rest);
  }

  /**
   * Writes what can be written by itself and lets go of its buffer until more comes. A lent file may go on in another thread from here, which would
   * not hear of what fails in this one: nothing is under way any more then. Errors: what was not written, or not kept by the disk.
   */
  async rest(): Promise<void> {
    await this.settled();
    if (this.gathered !== undefined) this.writeGathered(this.gathered);
    await this.settled(); // also where another rest began the write
    if (this.mode.lent !== true) return;
    await this.syncing; // the system tells of a lost write once: the sync of whoever goes on would find nothing wrong
    await this.settled();
  }

  /** Waits until everything is written and, where it is durable, on the disk. */
  async finish(): Promise<void> {
    const length = this.position + this.filled;
    await this.settled();
    if (this.filled > 0) this.start(this.mode.direct ? this.padded() : this.filled);
    await this.settled();
    if (this.position > length) await truncateFile(this.fd, length);
    await this.syncing; // the system tells of a lost write once: to this sync or to the next
    if (this.failure !== undefined) throw this.failure;
    if (this.mode.durable) await syncData(this.fd);
  }

  /** Waits for what is under way and lets go of the file; nothing happens the second time. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    await this.syncing;
    if (this.gathered !== undefined) this.pool.give(this.gathered);
    this.gathered = undefined;
    if (this.mode.lent !== true) await closeFile(this.fd);
  }

  private writeGathered(gathered: Buffer<ArrayBuffer>): void {
    const { filled } = this;
    const whole = this.mode.direct ? filled - (filled % directAlignment) : filled;
    this.kept = new Uint8Array(gathered.subarray(whole, filled));
    if (whole > 0) this.start(whole);
    else this.pool.give(gathered);
    this.gathered = undefined;
    this.filled = this.kept.length;
  }

  private async writeOn(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = this.gather(rest)) {
      await this.settled();
      this.start(this.pool.size);
    }
  }

  /** Takes as much as fits, begins to write the piece if it is full and can be, and returns the rest. */
  private gather(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(chunk.length, this.pool.size - this.filled);
    this.piece().set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.filled);
    this.filled += taken;
    return chunk.subarray(taken);
  }

  /** Fills the last piece up to a length that may be written past the page cache, and returns that. */
  private padded(): number {
    const length = Math.ceil(this.filled / directAlignment) * directAlignment;
    this.piece().fill(0, this.filled, length);
    return length;
  }

  /** The buffer that gathers. */
  private piece(): Buffer<ArrayBuffer> {
    if (this.gathered === undefined) {
      this.gathered = this.pool.take();
      this.gathered.set(this.kept);
      this.kept = this.kept.subarray(0, 0);
    }
    return this.gathered;
  }

  private async settled(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure;
    if (this.closed) throw new StillageError("aborted", "the upload has ended");
  }

  /** Begins to write the first `length` bytes of what was gathered; nothing else may be on its way. */
  private start(length: number): void {
    const piece = this.piece();
    this.gathered = undefined;
    this.filled = 0;
    const at = this.position;
    this.position += length;
    this.writing = writeAll(this.fd, piece.subarray(0, length), at)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.writing = undefined;
        this.pool.give(piece);
        this.unsynced += length;
        if (this.unsynced >= syncEveryBytes) this.syncEarly();
      });
  }

  private syncEarly(): void {
    if (!this.mode.durable || this.mode.direct || this.syncing !== undefined) return;
    this.unsynced = 0;
    this.syncing = syncData(this.fd)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.syncing = undefined;
      });
  }

  private fail(error: unknown): void {
    this.failure ??= error;
  }
}
