import type { Digest } from "../base/digest.ts";
import type { TakeBatch, WholeBlob } from "./blob-place.ts";

/** Of a batch, unless one blob alone has more. */
const batchBytes = 1 << 20;

const batchBlobs = 1000;

/** Puts blobs that are read one after the other into batches, each in memory of its own. */
export class BlobBatches {
  private readonly take: TakeBatch;
  /** What blobs to come may need at most. */
  private toCome = 0;
  private memory: Uint8Array<ArrayBuffer> | undefined;
  private filled = 0;
  private blobs: WholeBlob[] = [];

  constructor(digests: readonly Digest[], take: TakeBatch) {
    this.take = take;
    for (const { size } of digests) this.toCome += size + 1;
  }

  /** Whether there has to be a `give` before there is room for so many bytes. */
  isFull(size: number): boolean {
    const left = (this.memory?.length ?? size) - this.filled;
    return this.blobs.length > 0 && (this.blobs.length === batchBlobs || left < size);
  }

  /** Room for the next blob, and for one byte more, if that is wanted. It counts only once it is added. */
  room(size: number): Uint8Array {
    if (this.memory === undefined || this.memory.length - this.filled < size) {
      const bytes = Math.max(size, Math.min(batchBytes, this.toCome));
      this.memory = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
    }
    return this.memory.subarray(this.filled, this.filled + size);
  }

  /** What has been put at the beginning of the last room. */
  add(digest: Digest): void {
    const { memory = new Uint8Array(0), filled } = this;
    this.blobs.push({ digest, bytes: memory.subarray(filled, filled + digest.size) });
    this.filled += digest.size;
    this.toCome -= digest.size;
  }

  /** Gives what is there. Errors: those of who takes. */
  async give(): Promise<void> {
    const { blobs, memory } = this;
    this.memory = undefined;
    this.filled = 0;
    this.blobs = [];
    if (blobs.length > 0) await this.take({ blobs, memory: memory?.buffer });
  }
}
