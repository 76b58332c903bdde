import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { StillageError } from "../../base/errors.ts";

/** Bytes of one segment of a path: what a file system allows. */
const maxSegmentBytes = 255;

/** Segments of a path; nothing that is published lies deeper. */
const maxSegments = 64;

/** What of a repository of OSTree others may see: not its locks, its temporary files and its state. */
const ofRepository = new Set([
  "config",
  "summary",
  "summary.sig",
  "summaries",
  "refs",
  "objects",
  "deltas",
  "delta-indexes",
]);

/** What the rest of a URL names below a directory that is published: `undefined` for what cannot be, or is not to be seen. `+` is a plus. */
export function publicSegments(path: string): string[] | undefined {
  const segments = path.split("/");
  if (segments.length > maxSegments) return undefined;
  const decoded: string[] = [];
  for (const each of segments) {
    const segment = decodedSegment(each);
    if (segment === undefined || segment === "" || segment.startsWith(".")) return undefined;
    if (segment.includes("/") || segment.includes("\0") || Buffer.byteLength(segment) > maxSegmentBytes)
      return undefined;
    decoded.push(segment);
  }
  const [first, second] = decoded;
  return first === "repo" && !(second !== undefined && ofRepository.has(second)) ? undefined : decoded;
}

function decodedSegment(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A file that is open to be read. */
export class PublicFile {
  readonly size: number;
  /** Changes with the file: which one it is, its size and its time. */
  readonly tag: string;
  /** In milliseconds since 1970. */
  readonly modified: number;
  private readonly handle: FileHandle;

  constructor(handle: FileHandle, { ino, size, mtimeMs }: Stats) {
    this.handle = handle;
    this.size = size;
    this.tag = `${ino.toString(36)}-${size.toString(36)}-${mtimeMs.toString(36)}`;
    this.modified = mtimeMs;
  }

  /** Fills `buffer` with the bytes from `position` on. Errors: `corrupt` where the file has become shorter. */
  async read(buffer: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < buffer.length; ) {
      const { bytesRead } = await this.handle.read(buffer, at, buffer.length - at, position + at);
      if (bytesRead === 0) throw new StillageError("corrupt", "a published file has become shorter while it was read");
      at += bytesRead;
    }
  }

  close(): void {
    this.handle.close().catch(() => {}); // it was read only
  }
}

/**
 * Opens a file below `root`; `"directory"` where there is one, `undefined` where there is neither, or a link leads out of `root`. A link inside it
 * is followed: an alias of a ref is one.
 */
export async function openPublicFile(
  root: string,
  segments: readonly string[],
): Promise<PublicFile | "directory" | undefined> {
  let handle: FileHandle | undefined;
  try {
    const [top, real] = await Promise.all([realpath(root), realpath(join(root, ...segments))]);
    if (real !== top && !real.startsWith(top + sep)) return undefined;
    // Not to wait for the other end of a pipe.
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isFile()) {
      const file = new PublicFile(handle, stats);
      handle = undefined;
      return file;
    }
    return stats.isDirectory() ? "directory" : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  } finally {
    await handle?.close();
  }
}

/** Whether the file system says that there is nothing that could be given out. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES", "ENXIO"].includes(code);
}
