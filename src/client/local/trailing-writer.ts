import { writeAll } from "../../store/disk/file-io.ts";

/**
 * Writes bytes one behind the other to a file, in large pieces: while one is written the next is filled, and who adds waits only where the file system is a whole
 * piece behind. What a piece failed with, all later calls fail with as well. Calls follow one another. Errors: those of the file system.
 */
export class TrailingWriter {
  private readonly fd: number;
  private readonly pieceBytes: number;
  private filling: Buffer;
  private filled = 0;
  private spare: Buffer | undefined;
  /** Where the next piece goes. */
  private offset: number;
  private writing: Promise<void> = Promise.resolve();
  private written: number;

  /** Takes the memory of two pieces at most. */
  constructor(fd: number, offset: number, pieceBytes: number) {
    this.fd = fd;
    this.offset = offset;
    this.written = offset;
    this.pieceBytes = pieceBytes;
    this.filling = Buffer.allocUnsafeSlow(pieceBytes);
  }

  /** The bytes behind which the next are added. */
  get end(): number {
    return this.offset + this.filled;
  }

  /** The file has what comes before this. */
  get writtenTo(): number {
    return this.written;
  }

  /** The bytes are copied. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const room = await this.room();
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      this.added(part.length);
      at += part.length;
    }
  }

  /** Where the next bytes may be put by hand, one at least, whose number `added` is told of then. */
  async room(): Promise<Uint8Array> {
    if (this.filled === this.pieceBytes) await this.rotate();
    return this.filling.subarray(this.filled);
  }

  added(count: number): void {
    this.filled += count;
  }

  /** Settles when the file has everything that was added. */
  async flush(): Promise<void> {
    if (this.filled > 0) await this.rotate();
    await this.writing;
  }

  /** Settles when nothing is written any more, whatever came of it: the file may be closed then. Never fails. */
  async rest(): Promise<void> {
    await this.writing.catch(() => {});
  }

  private async rotate(): Promise<void> {
    await this.writing;
    const piece = this.filling;
    const end = this.offset + this.filled;
    this.writing = writeAll(this.fd, piece.subarray(0, this.filled), this.offset).then(() => {
      this.written = end;
    });
    // Whoever calls next hears of it.
    this.writing.catch(() => {});
    this.offset = end;
    this.filled = 0;
    this.filling = this.spare ?? Buffer.allocUnsafeSlow(this.pieceBytes);
    this.spare = piece;
  }
}
