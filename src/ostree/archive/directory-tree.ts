import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  createReadStream,
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
 * Small files are read at once, without a turn of the event loop for each step: the steps take less time than the turns would. This is for
 * programs that commit, not for a server.
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

/** What small files are read into: fresh memory for each would cost as much as the reading. */
type Buffers = BufferPool;

/** Buffers that are kept: as many files as are at work at a time. */
const keptBuffers = 16;

function file(path: string, name: string, { mode, uid, gid, size }: Stats, buffers: Buffers): FileEntry {
  let buffer: Buffer<ArrayBuffer> | undefined;
  const open = (): Content => {
    if (size <= wholeBytes) buffer ??= buffers.take();
    return guarded(path, () => contentOf(path, size, buffer));
  };
  const done = (): void => {
    if (buffer !== undefined) buffers.give(buffer);
    buffer = undefined;
  };
  return { kind: "file", name, mode, uid, gid, size, open, done };
}

/** Errors: `invalid` where the file is not what it was when it was listed. */
function contentOf(path: string, size: number, buffer: Buffer | undefined): Content {
  const fd = openSync(path, openFlags);
  let kept = false;
  try {
    const now = fstatSync(fd);
    if (!now.isFile() || now.size !== size) throw new StillageError("invalid", `${path} changed while it was read`);
    if (buffer === undefined) {
      kept = true;
      return createReadStream(path, { fd, highWaterMark: 1024 * 1024 });
    }
    const bytes = buffer.subarray(0, size);
    let filled = 0;
    while (filled < size) {
      const count = readSync(fd, bytes, filled, size - filled, filled);
      if (count === 0) throw new StillageError("invalid", `${path} changed while it was read`);
      filled += count;
    }
    return bytes;
  } finally {
    if (!kept) closeSync(fd);
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new StillageError("not-found", `${path} is not there`, { cause: error });
    if (code === "ELOOP") throw new StillageError("invalid", `${path} changed while it was read`, { cause: error });
    throw fromFileSystem(error, `cannot read ${path}`);
  }
}
