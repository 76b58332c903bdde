/**
 * Buffers of one size that are used again and again: fresh ones cost page faults and work for the garbage collector.
 * `kept` bounds what an idle pool holds; more may be out at a time, which whoever takes them bounds.
 */
export class BufferPool {
  readonly size: number;
  /** Buffers that were taken and not given back. */
  out = 0;
  private readonly kept: number;
  private readonly allocate: (size: number) => Buffer<ArrayBuffer>;
  private readonly free: Buffer<ArrayBuffer>[] = [];

  constructor(size: number, kept: number, allocate = Buffer.allocUnsafeSlow) {
    this.size = size;
    this.kept = kept;
    this.allocate = allocate;
  }

  take(): Buffer<ArrayBuffer> {
    this.out++;
    return this.free.pop() ?? this.allocate(this.size);
  }

  /** Takes a buffer back that nobody looks at any more. */
  give(buffer: Buffer<ArrayBuffer>): void {
    this.out--;
    if (this.free.length < this.kept) this.free.push(buffer);
  }
}
