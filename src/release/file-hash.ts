import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

export interface FileHash {
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** What a file has, read a piece at a time; `undefined` where it is not there or cannot be read. */
export async function hashFile(path: string): Promise<FileHash | undefined> {
  const hash = createHash("sha256");
  let size = 0;
  try {
    if (!(await stat(path)).isFile()) return undefined; // to read a pipe would take for ever
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 18 })) {
      hash.update(piece as Buffer);
      size += (piece as Buffer).length;
    }
    return { sha256: hash.digest("hex"), size };
  } catch {
    return undefined;
  }
}
