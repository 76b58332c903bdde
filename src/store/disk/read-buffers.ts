import { BufferPool } from "../../base/buffer-pool.ts";

/** From a page to the largest batch that a gRPC message of 4 MiB takes, with its heads. */
const smallest = 12;
const largest = 23;

/** Memory that idle buffers of each size may hold, so that the pools together stay below 50 MiB. */
const keptBytes = 4 << 20;

/** Buffers for what is read from packs, by powers of two. */
export class ReadBuffers {
  private readonly pools = Array.from(
    { length: largest - smallest + 1 },
    (_, i) => new BufferPool(2 ** (smallest + i), Math.max(1, keptBytes >> (smallest + i))),
  );

  /** A buffer of at least `size` bytes, which `give` takes back. */
  take(size: number): Buffer<ArrayBuffer> {
    return this.poolFor(size)?.take() ?? Buffer.allocUnsafeSlow(size);
  }

  give(buffer: Buffer<ArrayBuffer>): void {
    const pool = this.poolFor(buffer.length);
    if (pool?.size === buffer.length) pool.give(buffer);
  }

  private poolFor(size: number): BufferPool | undefined {
    return this.pools[Math.max(0, 32 - Math.clz32(Math.max(0, size - 1)) - smallest)];
  }
}
