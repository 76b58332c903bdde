import { close, fdatasync, fsync, ftruncate, open, read, write } from "node:fs";

/** Positional I/O on file descriptors that returns promises: less for each call than a FileHandle does. */

export function openFile(path: string, flags: string | number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, 0o644, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}

export function closeFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(fd, (error) => (error ? reject(error) : resolve()));
  });
}

/** Writes all of `bytes` at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (from: number): void => {
      write(fd, bytes, from, bytes.length - from, position + from, (error, written) => {
        if (error) reject(error);
        else if (from + written < bytes.length) step(from + written);
        else resolve();
      });
    };
    step(0);
  });
}

/** Fills `buffer` from `position` on and returns the bytes read: fewer only at the file's end. */
export function readFully(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const step = (from: number): void => {
      read(fd, buffer, from, buffer.length - from, position + from, (error, count) => {
        if (error) reject(error);
        else if (count === 0 || from + count === buffer.length) resolve(from + count);
        else step(from + count);
      });
    };
    step(0);
  });
}

export function truncateFile(fd: number, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    ftruncate(fd, length, (error) => (error ? reject(error) : resolve()));
  });
}

/** Waits until the file's bytes and size are on the disk. */
export function syncData(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error ? reject(error) : resolve()));
  });
}

/** Waits until a directory's entries are on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const fd = await openFile(path, "r");
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(fd, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    await closeFile(fd);
  }
}
