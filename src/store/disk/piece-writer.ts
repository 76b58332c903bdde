import type { BufferPool } from "../../base/buffer-pool.ts";
import { StillageError } from "../../base/errors.ts";
import { closeFile, syncData, writeAll } from "./file-io.ts";

/** A chunk this large is written from where it lies; smaller ones are gathered until they are as much. */
export const pieceBytes = 256 << 10;

/** A sync runs in the background after this much, so that little is left for the one at the end. */
const syncEveryBytes = 8 << 20;

/** Writes a file from its beginning to its end, one write at a time, while the next piece gathers. */
export class PieceWriter {
  private readonly fd: number;
  private readonly pool: BufferPool;
  private readonly durable: boolean;
  private gathered: Buffer<ArrayBuffer> | undefined;
  private filled = 0;
  private position = 0;
  private unsynced = 0;
  private writing: Promise<void> | undefined;
  private syncing: Promise<void> | undefined;
  private failure: unknown;
  private closed = false;

  /** The pool's buffers are of `pieceBytes`. `durable`: it is going to be synced at the end. */
  constructor(fd: number, pool: BufferPool, durable: boolean) {
    this.fd = fd;
    this.pool = pool;
    this.durable = durable;
  }

  /** Takes the next bytes, which are free for other use once this settles. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (chunk.length >= pieceBytes || this.filled + chunk.length > pieceBytes) return this.writeOn(chunk);
    this.gather(chunk);
  }

  /** Waits until everything is written and, where it is durable, on the disk. */
  async finish(): Promise<void> {
    await this.startGathered();
    await this.settled();
    if (this.durable) await syncData(this.fd);
  }

  /** Waits for what is under way and lets go of the file; nothing happens the second time. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    await this.syncing;
    if (this.gathered !== undefined) this.pool.give(this.gathered);
    this.gathered = undefined;
    await closeFile(this.fd);
  }

  private async writeOn(chunk: Uint8Array): Promise<void> {
    if (chunk.length >= pieceBytes) {
      if (this.filled > 0) await this.startGathered();
      if (this.writing !== undefined) await this.settled();
      this.start(chunk);
      await this.settled();
    } else {
      const first = pieceBytes - this.filled;
      this.gather(chunk.subarray(0, first));
      await this.startGathered();
      this.gather(chunk.subarray(first));
    }
  }

  private gather(chunk: Uint8Array): void {
    this.gathered ??= this.pool.take();
    this.gathered.set(chunk, this.filled);
    this.filled += chunk.length;
  }

  /** Begins to write what was gathered, once the write before has ended. */
  private async startGathered(): Promise<void> {
    await this.settled();
    const { gathered, filled } = this;
    if (gathered === undefined) return;
    this.gathered = undefined;
    this.filled = 0;
    this.start(gathered.subarray(0, filled), () => this.pool.give(gathered));
  }

  private async settled(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure;
    if (this.closed) throw new StillageError("aborted", "the upload has ended");
  }

  private start(bytes: Uint8Array, done: () => void = () => {}): void {
    const at = this.position;
    this.position += bytes.length;
    this.writing = writeAll(this.fd, bytes, at)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.writing = undefined;
        this.unsynced += bytes.length;
        done();
        if (this.unsynced >= syncEveryBytes) this.syncEarly();
      });
  }

  private syncEarly(): void {
    if (!this.durable || this.syncing !== undefined) return;
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
