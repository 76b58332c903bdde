/** Bytes that are being written: `at` is where the next goes. Values are aligned to the start. */
export class Sink {
  bytes: Buffer = Buffer.alloc(256);
  view: DataView = viewOf(this.bytes);
  at = 0;
  readonly littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  /** Makes room for `count` more bytes, which are zero, and returns where they begin; `at` stays. */
  room(count: number): number {
    if (this.at + count > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.bytes.length, this.at + count));
      larger.set(this.bytes.subarray(0, this.at));
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    return this.at;
  }

  /** Makes room for `count` more bytes and steps over them; returns where they begin. */
  take(count: number): number {
    const start = this.room(count);
    this.at += count;
    return start;
  }

  align(alignment: number): void {
    this.take(-this.at & (alignment - 1));
  }

  put(bytes: Uint8Array): void {
    const start = this.take(bytes.length);
    this.bytes.set(bytes, start);
  }

  /** Writes a string and its NUL. The room beyond what UTF-8 needed is still zero. */
  text(value: string): void {
    this.room(3 * value.length + 1);
    this.at += this.bytes.write(value, this.at) + 1;
  }

  /** Writes frame offsets, which are always little-endian. */
  offsets(ends: readonly number[], width: number): void {
    let at = this.take(ends.length * width);
    for (const end of ends) {
      if (width === 1) this.bytes[at] = end;
      else if (width === 2) this.view.setUint16(at, end, true);
      else this.view.setUint32(at, end, true);
      at += width;
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.buffer as ArrayBuffer, this.bytes.byteOffset, this.at);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
