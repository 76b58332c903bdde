import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { DigestFunction } from "../base/digest-function.ts";
import { runningHash } from "../base/hash.ts";

const pieceBytes = 1 << 20;

let piece: Buffer | undefined;

/** The hash, in lower-case hex, and the size of a file. Errors: those of the file system. */
export function hashFile(
  path: string,
  fn: DigestFunction,
  progress: (bytes: number) => void,
): { readonly hash: string; readonly size: number } {
  piece ??= Buffer.allocUnsafeSlow(pieceBytes);
  const fd = openSync(path, "r");
  try {
    const hashed = runningHash(fn);
    let size = 0;
    for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) {
      hashed.update(piece.subarray(0, count));
      size += count;
      progress(count);
    }
    return { hash: hashed.digest("hex"), size: Math.max(size, fstatSync(fd).size) };
  } finally {
    closeSync(fd);
  }
}
