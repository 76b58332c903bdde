import { constants, read } from "node:fs";
import { promisify } from "node:util";
import { alignedBuffer, directAlignment } from "../store/disk/direct-io.ts";
import { closeFile, openFile } from "../store/disk/file-io.ts";

/** What is read at once: few enough reads for a disk with a head, and no longer than others can wait for theirs. */
export const pieceBytes = 256 << 10;

const readOnce = promisify(read) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

/** Called before each read of so many bytes, to wait for its turn. */
export type Toll = (bytes: number) => Promise<void>;

/**
 * Reads a file in order through one buffer: what is on the disk, past the page cache (O_DIRECT), so that what readers need stays there, and what
 * they have there does not hide what the disk has become. A file system that does not take that is read through its cache.
 */
export class PieceReader {
  private readonly path: string;
  private readonly buffer: Buffer;
  private readonly toll: Toll;
  private fd: number;
  private direct: boolean;
  private base = 0;
  private filled = 0;

  /** `buffer` as `newPieceBuffer` makes it. */
  static async open(path: string, buffer: Buffer, toll: Toll): Promise<PieceReader> {
    if (constants.O_DIRECT !== undefined) {
      const fd = await openFile(path, constants.O_RDONLY | constants.O_DIRECT).catch(ignoreRefusal);
      if (fd !== undefined) return new PieceReader(path, buffer, toll, fd, true);
    }
    return new PieceReader(path, buffer, toll, await openFile(path, "r"), false);
  }

  private constructor(path: string, buffer: Buffer, toll: Toll, fd: number, direct: boolean) {
    this.path = path;
    this.buffer = buffer;
    this.toll = toll;
    this.fd = fd;
    this.direct = direct;
  }

  /** What is at hand from `position` on, at least `length` bytes (at most a page), fewer only at the file's end. Valid until the next call. */
  async view(position: number, length: number): Promise<Buffer> {
    if (position < this.base || position + length > this.base + this.filled) await this.fill(position);
    return this.buffer.subarray(Math.min(position - this.base, this.filled), this.filled);
  }

  /** Has the next `view` look at the disk again. */
  forget(): void {
    this.filled = 0;
  }

  async close(): Promise<void> {
    await closeFile(this.fd);
  }

  private async fill(position: number): Promise<void> {
    this.base = position - (position % directAlignment);
    this.filled = 0;
    await this.toll(this.buffer.length);
    let filled = 0;
    // A read may end anywhere: only one that brings nothing new says that the file does.
    while (filled < this.buffer.length) {
      const from = this.direct ? filled - (filled % directAlignment) : filled;
      const until = from + (await this.read(from));
      if (until <= filled) break;
      filled = until;
    }
    this.filled = filled;
  }

  /** Reads into the buffer from a place on, and returns how many bytes came. */
  private async read(from: number): Promise<number> {
    const reading = readOnce(this.fd, this.buffer, from, this.buffer.length - from, this.base + from);
    const result = await (this.direct ? reading.catch(ignoreRefusal) : reading);
    if (result !== undefined) return result.bytesRead;
    const fd = await openFile(this.path, "r");
    const refused = this.fd;
    this.fd = fd;
    this.direct = false;
    await closeFile(refused);
    return this.read(from);
  }
}

export function newPieceBuffer(): Buffer {
  return alignedBuffer(pieceBytes);
}

function ignoreRefusal(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EINVAL") throw error;
}
