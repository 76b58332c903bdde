import { StillageError } from "../errors.ts";

/** Takes a stream of bytes apart in the order in which they come. */
export class ByteSource {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  /** `chunks` are its own: what begins in one and ends in another is put together of both. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, valid until the next call; `undefined` where the stream has ended before them. Errors: `failed-precondition` within them. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const taken = await this.gather(length);
    if (taken === undefined && length > 0) return undefined;
    if (this.rest.length < length) throw truncated();
    this.rest = this.rest.subarray(length);
    return taken;
  }

  /** The next `length` bytes, which stay to be read; `undefined` where there are not so many. */
  async peek(length: number): Promise<Uint8Array | undefined> {
    const found = await this.gather(length);
    return found?.length === length ? found : undefined;
  }

  /** The next `length` bytes in pieces, each valid until the next. Errors: `failed-precondition` where the stream ends before. */
  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (this.rest.length === 0) {
        const { value, done } = await this.chunks.next();
        if (done) throw truncated();
        this.rest = value;
      }
      const piece = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.pieces(length)) {
      // what it holds is of no interest
    }
  }

  /** Reads to the end of the stream: what checks itself there does so. */
  async drain(): Promise<void> {
    this.rest = new Uint8Array(0);
    while (!(await this.chunks.next()).done);
  }

  /** Lets go of the stream, also in the middle. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  /** The next `length` bytes, fewer before the end; `undefined` at the end. */
  private async gather(length: number): Promise<Uint8Array | undefined> {
    if (this.rest.length < length) {
      const pieces = [this.rest];
      let gathered = this.rest.length;
      while (gathered < length) {
        const { value, done } = await this.chunks.next();
        if (done) break;
        pieces.push(value);
        gathered += value.length;
      }
      this.rest = Buffer.concat(pieces, gathered);
    }
    return this.rest.length === 0 ? undefined : this.rest.subarray(0, length);
  }
}

function truncated(): StillageError {
  return new StillageError("failed-precondition", "the archive ends before it should");
}

/** Pieces of `size` bytes together, in one array of their own. */
export async function gather(size: number, pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
