import { endianness } from "node:os";
import { blake3Iv, compressBlake3 } from "./blake3-compress.ts";

/** Bytes of a chunk, a leaf of the tree, and of a block. */
export const chunkBytes = 1024;
const blockBytes = 64;

const chunkStart = 1;
const chunkEnd = 2;
const parent = 4;
const root = 8;

/** Parents that wait for a right-hand child: enough for 2^53 bytes. */
const maxDepth = 43;

const bigEndian = endianness() === "BE";

/** BLAKE3 in the mode without a key, 32 bytes of output, of bytes that come in pieces (BLAKE3 specification, section 5.1). */
export class PortableBlake3 {
  private readonly chunk = Buffer.alloc(chunkBytes);
  private readonly words = new Uint32Array(this.chunk.buffer, this.chunk.byteOffset, chunkBytes / 4);
  /** Bytes in `chunk`. A full one stays until more comes: the last chunk ends the tree. */
  private filled = 0;
  /** Chunks before this one. */
  private chunks = 0;
  /** Chaining values of the subtrees that are complete, the largest first. */
  private readonly stack = new Uint32Array(maxDepth * 8);
  private depth = 0;
  private readonly cv = new Uint32Array(8);
  private readonly pair = new Uint32Array(16);

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; ) {
      if (this.filled === chunkBytes) this.pushChunk();
      const end = Math.min(bytes.length, at + chunkBytes - this.filled);
      this.chunk.set(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), this.filled);
      this.filled += end - at;
      at = end;
    }
    return this;
  }

  /** The hash in lower-case hex. Afterwards this is as new. */
  digest(_encoding: "hex"): string {
    this.compressChunk(this.depth === 0 ? root : 0);
    while (this.depth > 0) this.mergeTop(this.depth === 1 ? root : 0);
    this.filled = 0;
    this.chunks = 0;
    const bytes = Buffer.from(this.cv.buffer);
    if (bigEndian) bytes.swap32();
    return bytes.toString("hex");
  }

  /** Puts the full chunk into the tree, and merges the subtrees that it completes: as many as the number of chunks has zeros at its end. */
  private pushChunk(): void {
    this.compressChunk(0);
    this.filled = 0;
    this.chunks++;
    for (let complete = this.chunks; complete % 2 === 0; complete /= 2) this.mergeTop(0);
    this.stack.set(this.cv, this.depth++ * 8);
  }

  /** The chaining value of the chunk, into `cv`. */
  private compressChunk(flags: number): void {
    const { words, cv, filled, chunks: counter } = this;
    const blocks = Math.max(1, Math.ceil(filled / blockBytes));
    this.chunk.fill(0, filled, blocks * blockBytes);
    if (bigEndian) this.chunk.subarray(0, blocks * blockBytes).swap32();
    cv.set(blake3Iv);
    for (let block = 0; block < blocks; block++) {
      const last = block === blocks - 1;
      compressBlake3(cv, {
        words,
        at: block * (blockBytes / 4),
        counter,
        length: last ? filled - block * blockBytes : blockBytes,
        flags: (block === 0 ? chunkStart : 0) | (last ? chunkEnd | flags : 0),
      });
    }
  }

  /** The parent of the subtree on top of the stack and the one in `cv`, into `cv`. */
  private mergeTop(flags: number): void {
    const { stack, cv, pair } = this;
    const left = --this.depth * 8;
    pair.set(stack.subarray(left, left + 8));
    pair.set(cv, 8);
    cv.set(blake3Iv);
    compressBlake3(cv, { words: pair, at: 0, counter: 0, length: blockBytes, flags: parent | flags });
  }
}
