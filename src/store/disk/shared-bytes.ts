import { createHash } from "node:crypto";
import { chmod, constants, copyFile, link, stat, unlink } from "node:fs/promises";
import type { BufferPool } from "../../base/buffer-pool.ts";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { verifyHash, verifySize } from "../verify-blob.ts";
import { closeFile, openFile, readFully, syncData } from "./file-io.ts";

/**
 * How a file gets the bytes of another one without a copy of them. `clone`: a file of its own whose bytes the file system shares until one of the
 * two changes (FICLONE: btrfs, XFS, bcachefs); `link`: another name of the same file, so that whoever writes to one writes to both.
 */
export type Sharing = "clone" | "link";

/** What file systems say that cannot do it, or not between these two places, or not for this user. */
const unable = new Set([
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "ENOTTY",
  "EXDEV",
  "EINVAL",
  "EPERM",
  "EACCES",
  "EMLINK",
  "ETXTBSY",
]);

/** Makes `target`, which is not there, of the bytes of `source`; false, with nothing made, where the file system cannot. */
export async function shareBytes(source: string, target: string, sharing: Sharing): Promise<boolean> {
  let made = false;
  try {
    if (sharing === "link") await link(source, target);
    else await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    made = true;
    // A clone has the mode of its source. Of a file with two names nobody is to write to either.
    await chmod(target, sharing === "clone" ? 0o644 : (await stat(target)).mode & 0o555);
    return true;
  } catch (error) {
    if (made) await unlink(target);
    if (unable.has((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/** Throws `invalid` unless a file has the bytes of a digest, and `corrupt` where they cannot be read; resolves once they are on the disk, too. It is read into two buffers of the pool. */
export async function verifyAndSync(path: string, digest: Digest, pieces: BufferPool): Promise<void> {
  const fd = await openFile(path, "r");
  const [one, other] = [pieces.take(), pieces.take()];
  try {
    const hash = createHash(digest.function.name);
    let size = 0;
    let [current, next] = [one, other];
    let reading = read(fd, current, 0);
    for (let count = await reading; count > 0; count = await reading) {
      size += count;
      reading = read(fd, next, size);
      hash.update(current.subarray(0, count)); // while the next piece is read
      [current, next] = [next, current];
    }
    verifySize(digest, size);
    verifyHash(digest, hash.digest("hex"));
    await syncData(fd);
  } finally {
    pieces.give(one);
    pieces.give(other);
    await closeFile(fd);
  }
}

function read(fd: number, piece: Uint8Array, position: number): Promise<number> {
  return readFully(fd, piece, position).catch((error: NodeJS.ErrnoException) => {
    throw new StillageError("corrupt", `it cannot be read: ${error.code}`, { cause: error });
  });
}
