import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { DigestFunction } from "../base/digest-function.ts";
import { runningHash } from "../base/hash.ts";
import { isPromise } from "../base/maybe-promise.ts";

const pieceBytes = 1 << 20;

let piece: Buffer | undefined;

export interface HashedFile {
  /** In lower-case hex; `undefined` where the bytes are not what a blob of the function can be. */
  readonly hash: string | undefined;
  readonly size: number;
}

/** The hash and the size of a file, one at a time. Errors: those of the file system. */
export async function hashFile(
  path: string,
  fn: DigestFunction,
  progress: (bytes: number) => void,
): Promise<HashedFile> {
  piece ??= Buffer.allocUnsafeSlow(pieceBytes);
  const fd = openSync(path, "r");
  try {
    const hashed = runningHash(fn);
    let size = 0;
    for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) {
      const taken = hashed.update(piece.subarray(0, count));
      if (isPromise(taken)) await taken;
      size += count;
      progress(count);
    }
    return { hash: await hashed.digest("hex"), size: Math.max(size, fstatSync(fd).size) };
  } finally {
    closeSync(fd);
  }
}
