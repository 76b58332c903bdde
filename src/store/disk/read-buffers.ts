/** From a page to the largest batch that a gRPC message of 4 MiB takes, with its heads. */
const smallest = 12;
const largest = 23;

/** Memory that idle buffers may hold, all sizes together: what a busy moment needed, and the next one may need in other sizes. */
const keptBytes = 16 << 20;

/** Buffers for what is read from packs, by powers of two. Fresh ones cost page faults and work for the garbage collector. */
export class ReadBuffers {
  private readonly idle: Buffer<ArrayBuffer>[][] = Array.from({ length: largest - smallest + 1 }, () => []);
  private idleBytes = 0;

  /** A buffer of at least `size` bytes, which `give` takes back. */
  take(size: number): Buffer<ArrayBuffer> {
    const power = powerOf(size);
    if (power > largest) return Buffer.allocUnsafeSlow(size);
    const found = this.idle[power - smallest]?.pop();
    if (found === undefined) return Buffer.allocUnsafeSlow(2 ** power);
    this.idleBytes -= found.length;
    return found;
  }

  /** Takes a buffer back that nobody looks at any more. */
  give(buffer: Buffer<ArrayBuffer>): void {
    const power = powerOf(buffer.length);
    if (power > largest || this.idleBytes + buffer.length > keptBytes) return;
    this.idle[power - smallest]?.push(buffer);
    this.idleBytes += buffer.length;
  }
}

/** The smallest power of two, from that of a page on, that has room for so many bytes. */
function powerOf(size: number): number {
  return Math.max(smallest, 32 - Math.clz32(Math.max(0, size - 1)));
}
