import type { Blob } from "../../store/blob-store.ts";

const pieceBytes = 256 << 10;

/** The bytes of a blob from `start` to `end`, in pieces that are the reader's own. Errors: the signal's reason, also where nothing comes of what is read. */
export async function* blobRange(blob: Blob, start: number, end: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    signal.throwIfAborted();
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at));
    await blob.read(piece, at);
    at += piece.length;
    yield piece;
  }
}
