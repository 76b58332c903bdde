import type { Blob } from "../store/blob-store.ts";

/** A blob from its beginning to its end, in pieces: while one is used, the next is read. */
export class ReadAhead {
  private readonly blob: Blob;
  private readonly pieceBytes: number;
  private spare: Uint8Array;
  private used: Uint8Array;
  private at = 0;
  /** The piece that is being read into `spare`. */
  private reading: { readonly piece: Uint8Array; readonly done: Promise<void> } | undefined;

  /** Holds two pieces; the caller closes the blob, after `stop`. */
  constructor(blob: Blob, pieceBytes: number) {
    this.blob = blob;
    this.pieceBytes = Math.min(pieceBytes, blob.digest.size);
    this.spare = Buffer.allocUnsafeSlow(this.pieceBytes);
    this.used = Buffer.allocUnsafeSlow(this.pieceBytes);
    this.begin();
  }

  /** The next piece, good until the next call; `undefined` at the end. Errors: those of reading. */
  async next(): Promise<Uint8Array | undefined> {
    const { reading } = this;
    if (reading === undefined) return undefined;
    await reading.done;
    [this.spare, this.used] = [this.used, this.spare];
    this.begin();
    return reading.piece;
  }

  /** Resolves once nothing is being read. */
  async stop(): Promise<void> {
    await this.reading?.done.catch(() => {}); // nobody wants it
  }

  private begin(): void {
    const piece = this.spare.subarray(0, this.blob.digest.size - this.at);
    const { at } = this;
    this.at += piece.length;
    this.reading = piece.length === 0 ? undefined : { piece, done: this.read(piece, at) };
    this.reading?.done.catch(() => {}); // `next` tells of it
  }

  private async read(piece: Uint8Array, at: number): Promise<void> {
    await this.blob.read(piece, at);
  }
}
