import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Addresses, positions and lengths of direct I/O are multiples of this: no disk has larger logical blocks. */
export const directAlignment = 4096;

/**
 * A buffer for direct I/O. That of a resizable ArrayBuffer begins on a memory page, as V8 reserves pages for it; an ordinary one
 * lies where malloc puts it.
 */
export function alignedBuffer(size: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(size, { maxByteLength: size }), 0, size);
}

/** Flags that open a file to be written past the page cache (open(2), O_DIRECT): one that is there, or a new one. */
export const directAppend = constants.O_WRONLY | constants.O_DIRECT;
export const directCreate = directAppend | constants.O_CREAT | constants.O_EXCL;

/** Whether the file system of a directory takes direct writes from such buffers; some refuse them, and some systems have none. */
export function takesDirectWrites(directory: string): boolean {
  if (constants.O_DIRECT === undefined) return false;
  const path = join(directory, "direct-io.new");
  try {
    rmSync(path, { force: true });
    const fd = openSync(path, directCreate);
    try {
      return writeSync(fd, alignedBuffer(directAlignment)) === directAlignment;
    } finally {
      closeSync(fd);
      rmSync(path);
    }
  } catch {
    return false;
  }
}
