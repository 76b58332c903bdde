import { fchmod } from "node:fs";
import { chmod, constants, copyFile, link, unlink } from "node:fs/promises";
import { promisify } from "node:util";
import type { BufferPool } from "../../base/buffer-pool.ts";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { runningHash } from "../../base/hash.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import { verifyHash, verifySize } from "../verify-blob.ts";
import { closeFile, readFully, syncData } from "./file-io.ts";
import { openRegular } from "./regular-file.ts";

/**
 * How a file gets the bytes of another one without a copy of them. `clone`: a file of its own whose bytes the file system shares until one of the
 * two changes (FICLONE: btrfs, XFS, bcachefs); `link`: another name of the same file, so that whoever writes to one writes to both.
 */
export type Sharing = "clone" | "link";

const setMode = promisify(fchmod);

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

/** What files are made with everywhere else in the store. */
const fileMode = 0o644 & ~process.umask();

/** Makes `target`, which is not there, of the bytes of `source`; false, with nothing made, where the file system cannot. */
export async function shareBytes(source: string, target: string, sharing: Sharing): Promise<boolean> {
  let made = false;
  try {
    if (sharing === "link") {
      await link(source, target);
      return true;
    }
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    made = true;
    await chmod(target, fileMode); // it has the mode of its source
    return true;
  } catch (error) {
    if (made) await unlink(target);
    if (unable.has((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/**
 * Throws `invalid` unless a file has the bytes of a digest, and `corrupt` where they cannot be read; resolves once they are on the disk, too. It is read
 * into two buffers of the pool. A file that another name leads to as well nobody can open for writing from then on.
 */
export async function verifyAndSync(path: string, digest: Digest, pieces: BufferPool): Promise<void> {
  const { fd, stats } = await openRegular(path);
  const [one, other] = [pieces.take(), pieces.take()];
  try {
    const hash = runningHash(digest.function);
    let size = 0;
    let [current, next] = [one, other];
    let reading = read(fd, current, 0);
    for (let count = await reading; count > 0; count = await reading) {
      size += count;
      reading = read(fd, next, size);
      reading.catch(() => {}); // told of once it is waited for
      const hashed = hash.update(current.subarray(0, count)); // while the next piece is read
      if (isPromise(hashed)) await hashed;
      [current, next] = [next, current];
    }
    verifySize(digest, size);
    verifyHash(digest, await hash.digest("hex"));
    if (stats.nlink > 1) await setMode(fd, stats.mode & 0o555);
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
