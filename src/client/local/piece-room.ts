import type { PieceUse } from "../blob-place.ts";

/** Blobs are read from files and written to them in pieces of so many bytes. */
export const pieceBytes = 1 << 20;

/** Gives room for each next piece of a blob of which `size` bytes are read: memory of its own, or where pieces are borrowed the same again and again. */
export function roomForPieces(use: PieceUse = "kept", size: number): (left: number) => Uint8Array {
  if (use === "kept") return (left) => Buffer.allocUnsafe(Math.min(pieceBytes, left));
  const room = Buffer.allocUnsafe(Math.min(pieceBytes, size));
  return (left) => room.subarray(0, left);
}
