import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { BufferPool } from "../../base/buffer-pool.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { type Content, wholeBytes } from "./put-file.ts";
import type { DirectoryEntry, FileEntry, TreeEntry } from "./tree-entry.ts";

/** Nothing that is opened is a link; and a pipe that has come to stand in a file's place does not hold us up. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A directory on disk as a tree to commit, with owners and modes as they are. Links are taken as links. Names and targets that are not UTF-8, and whatever is neither file,
 * link nor directory, are refused, as `ostree commit` does it. Extended attributes are not read: Node cannot; that is `ostree commit --no-xattrs`.
 *
 * Files are read a mebibyte at a time without leaving the event loop: the steps take less time than turns for each would. This is for programs that commit,
 * not for a server.
 * Errors, as the tree is read: `invalid`, `not-found`.
 */
export function directoryTree(path: string): DirectoryEntry {
  const stats = guarded(path, () => statSync(path));
  if (!stats.isDirectory()) throw new StillageError("invalid", `${path} is not a directory`);
  return directory(path, "", stats, new BufferPool(wholeBytes, keptBuffers));
}

function directory(path: string, name: string, { mode, uid, gid }: Stats, buffers: Buffers): DirectoryEntry {
  return { kind: "directory", name, mode, uid, gid, entries: () => entriesOf(path, buffers) };
}

function* entriesOf(path: string, buffers: Buffers): Generator<TreeEntry> {
  for (const entry of guarded(path, () => readdirSync(path, { encoding: "buffer", withFileTypes: true }))) {
    const name = nameOf(path, entry);
    const below = join(path, name);
    const stats = guarded(below, () => lstatSync(below));
    yield entryOf(below, name, stats, buffers);
  }
}

function nameOf(path: string, { name }: Dirent<Buffer>): string {
  if (isUtf8(name)) return name.toString();
  throw new StillageError(
    "invalid",
    `a file in ${path} has a name that is not UTF-8: ${JSON.stringify(name.toString())}`,
  );
}

function entryOf(path: string, name: string, stats: Stats, buffers: Buffers): TreeEntry {
  if (stats.isFile()) return file(path, name, stats, buffers);
  if (stats.isDirectory()) return directory(path, name, stats, buffers);
  const { uid, gid } = stats;
  if (stats.isSymbolicLink()) return { kind: "symlink", name, uid, gid, target: targetOf(path) };
  throw new StillageError("invalid", `${path} is neither a file, nor a symbolic link, nor a directory`);
}

function targetOf(path: string): string {
  const target = guarded(path, () => readlinkSync(path, "buffer"));
  if (isUtf8(target)) return target.toString();
  throw new StillageError("invalid", `${path} is a link to a name that is not UTF-8`);
}

/** What files are read into: fresh memory for each would cost as much as the reading. */
type Buffers = BufferPool;

/** Buffers that are kept: as many files as are at work at a time. */
const keptBuffers = 16;

function file(path: string, name: string, { mode, uid, gid, size }: Stats, buffers: Buffers): FileEntry {
  let buffer: Buffer<ArrayBuffer> | undefined;
  const open = (): Content => {
    const into = buffer ?? buffers.take();
    buffer = into;
    return guarded(path, () => contentOf(path, size, into));
  };
  const done = (): void => {
    if (buffer !== undefined) buffers.give(buffer);
    buffer = undefined;
  };
  return { kind: "file", name, mode, uid, gid, size, open, done };
}

/** Errors: `invalid` where the file is not what it was when it was listed. */
function contentOf(path: string, size: number, buffer: Buffer): Content {
  if (size > wholeBytes) return piecesOf(path, size, buffer);
  const fd = openUnchanged(path, size);
  try {
    return readPiece(path, fd, buffer.subarray(0, size), 0);
  } finally {
    closeSync(fd);
  }
}

/** The content in pieces, each of which is good until the next is asked for. Between them, others have a turn. */
async function* piecesOf(path: string, size: number, buffer: Buffer): AsyncGenerator<Uint8Array> {
  const fd = guarded(path, () => openUnchanged(path, size));
  try {
    for (let at = 0; at < size; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, size - at));
      yield guarded(path, () => readPiece(path, fd, piece, at));
      await setImmediate();
    }
  } finally {
    closeSync(fd);
  }
}

function openUnchanged(path: string, size: number): number {
  const fd = openSync(path, openFlags);
  const now = fstatSync(fd);
  if (now.isFile() && now.size === size) return fd;
  closeSync(fd);
  throw changed(path);
}

/** Fills `piece` from a place in the file. */
function readPiece(path: string, fd: number, piece: Buffer, at: number): Buffer {
  for (let filled = 0; filled < piece.length; ) {
    const count = readSync(fd, piece, filled, piece.length - filled, at + filled);
    if (count === 0) throw changed(path);
    filled += count;
  }
  return piece;
}

const changed = (path: string, cause?: unknown): StillageError =>
  new StillageError("invalid", `${path} changed while it was read`, { cause });

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new StillageError("not-found", `${path} is not there`, { cause: error });
    if (code === "ELOOP") throw changed(path, error);
    throw fromFileSystem(error, `cannot read ${path}`);
  }
}
