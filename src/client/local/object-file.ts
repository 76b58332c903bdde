import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { cacheFailure, isAbsent } from "./cache-failure.ts";

/**
 * One object at a time, at once: a small file in the page cache takes some 5 µs to read and 25 µs to write so, and ten times that through the thread pool.
 * Errors of all: `forbidden`, `exhausted`, `internal`.
 */

/** A use is noted once in so many milliseconds: what expires is older by far. */
const useResolutionMs = 600_000;

const toRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const toMake = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** `undefined` where there is no such file. */
export function sizeOfObject(path: string): number | undefined {
  const stats = lookAt(path);
  return stats?.isFile() ? stats.size : undefined;
}

/**
 * Notes a use of a file of this size: those used longest ago go first. Gives when the file had changed last before that, in milliseconds since 1970; `undefined` where
 * there is none.
 */
export function touchObject(path: string, size: number): number | undefined {
  const stats = lookAt(path);
  if (stats === undefined || stats.size !== size || !stats.isFile()) return undefined;
  if (stats.mtimeMs < Date.now() - useResolutionMs) touchFile(path);
  return stats.ctimeMs;
}

/** Never fails: whoever may not write to the cache still reads it. */
export function touchFile(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // gone, or another's: then it counts as it was
  }
}

/** The bytes of a file of this size, in `buffer`, which is larger; `undefined` where there is none. */
export function readObject(path: string, buffer: Uint8Array, size: number): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, toRead);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw cacheFailure(error, `reading ${path}`);
  }
  try {
    let at = 0;
    // One more than it should have: a longer file is another.
    for (let count = 1; count > 0 && at < size; at += count) count = readSync(fd, buffer, at, size + 1 - at, at);
    return at === size ? buffer.subarray(0, size) : undefined;
  } catch (error) {
    throw cacheFailure(error, `reading ${path}`);
  } finally {
    closeSync(fd);
  }
}

/** Removes what is not what its name says. Never fails. */
export function removeObject(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone, or not ours to remove: it counts as missing all the same
  }
}

/**
 * A new file at `temporary` with these bytes and this mode. Gives whether files get the mode that they are made with, which the process's mask and the folder's rules
 * may prevent; whoever hands that in for the next one in the folder saves the look. A crash leaves the file there, or a part of it.
 */
export function writeTemporary(temporary: string, bytes: Uint8Array, mode: number, known?: boolean): boolean {
  const fd = openSync(temporary, toMake, mode);
  let getsMode = known;
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    getsMode ??= (fstatSync(fd).mode & 0o777) === mode;
    if (!getsMode) fchmodSync(fd, mode);
  } catch (error) {
    closeSync(fd);
    removeObject(temporary);
    throw error;
  }
  closeSync(fd);
  return getsMode;
}

/**
 * Gives what is verified its name, and takes its temporary one away. Where the name is taken the same bytes are there, unless the size says otherwise. Linking, as
 * casd does, and not renaming: where a file is replaced so, some file systems wait for the disk.
 */
export function placeFile(temporary: string, path: string, size: number): void {
  try {
    linkSync(temporary, path);
    unlinkSync(temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (sizeOfObject(path) === size) unlinkSync(temporary);
    else renameSync(temporary, path);
  }
}

/** `undefined` where there is no such file. */
export function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw cacheFailure(error, `looking at ${path}`);
  }
}
