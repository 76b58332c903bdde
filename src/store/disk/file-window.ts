import { readSync } from "node:fs";

/** What a window reads at once: few calls, little memory. */
const ahead = 1 << 20;

/** A file, or the part of it before `size`, seen through a buffer that moves along: for reading it in order at start. */
export class FileWindow {
  readonly fd: number;
  readonly size: number;
  private buffer: Buffer<ArrayBuffer> = Buffer.alloc(0);
  private base = 0;
  private filled = 0;

  constructor(fd: number, size: number) {
    this.fd = fd;
    this.size = size;
  }

  /** The bytes from `position` on, at most `length`, fewer at the end; valid until the next call. */
  view(position: number, length: number): Buffer<ArrayBuffer> {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    if (position < this.base || position + wanted > this.base + this.filled) this.fill(position, wanted);
    const from = position - this.base;
    return this.buffer.subarray(from, Math.min(from + wanted, this.filled));
  }

  private fill(position: number, wanted: number): void {
    const length = Math.min(Math.max(wanted, ahead), this.size - position);
    if (this.buffer.length < length) this.buffer = Buffer.allocUnsafeSlow(length);
    this.base = position;
    this.filled = 0;
    while (this.filled < length) {
      const count = readSync(this.fd, this.buffer, this.filled, length - this.filled, position + this.filled);
      if (count === 0) return;
      this.filled += count;
    }
  }
}
