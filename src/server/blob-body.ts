import { isPromise } from "../base/maybe-promise.ts";
import type { Blob } from "../store/blob-store.ts";

/** Bytes of one piece of a body. */
const pieceBytes = 256 << 10;

/** A range of a blob, or of what is read as one, as a response's body. Closes the blob at its end, or when nobody reads on: `signal` says so where that happens unread. */
export class BlobBody implements AsyncIterableIterator<Uint8Array> {
  private readonly blob: Pick<Blob, "read" | "close">;
  private readonly end: number;
  private at: number;
  private reading = false;
  private over = false;
  private closed = false;

  constructor(blob: Pick<Blob, "read" | "close">, start: number, end: number, signal: AbortSignal) {
    this.blob = blob;
    this.at = start;
    this.end = end;
    if (signal.aborted) this.stop();
    else signal.addEventListener("abort", () => this.stop(), { once: true });
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.over || this.at >= this.end) return this.return();
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.end - this.at));
    this.reading = true;
    try {
      const read = this.blob.read(piece, this.at);
      if (isPromise(read)) await read;
    } catch (error) {
      this.over = true;
      throw error;
    } finally {
      this.reading = false;
      if (this.over) this.close();
    }
    this.at += piece.length;
    return { done: false, value: piece };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.stop();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private stop(): void {
    this.over = true;
    if (!this.reading) this.close();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.blob.close();
  }
}
