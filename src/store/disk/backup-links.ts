import { existsSync } from "node:fs";
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { isInUse, lockDirectory, lockFile } from "./directory-lock.ts";

/** Where a backup keeps other names of the files that it copies, so that nobody takes these away meanwhile. */
const linkFolder = "backup";
const linkFolderName = "links";

export interface BackupLinks {
  /** An empty directory in the store's. */
  readonly path: string;
  /** Deletes it with what is in it. */
  close(): Promise<void>;
}

/**
 * Makes the directory for a backup's links, one at a time. A crash leaves it with what is in it, until the next backup, or start of the server.
 * Errors: `failed-precondition` where another backup of the same store is under way.
 */
export async function openBackupLinks(store: string): Promise<BackupLinks> {
  const path = join(store, linkFolder);
  const links = join(path, linkFolderName);
  await makeFolder(path);
  const lock = lockAlone(path);
  try {
    await rm(links, { recursive: true, force: true });
    await mkdir(links);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    path: links,
    close: async () => {
      await removeAll(path);
      lock.release();
    },
  };
}

/** Deletes what a backup has left that was killed, for its links keep the room of what is removed. One that is under way is left alone. */
export async function clearBackupLinks(store: string): Promise<void> {
  const path = join(store, linkFolder);
  if (!existsSync(path)) return;
  try {
    const lock = lockDirectory(path);
    await removeAll(path).finally(() => lock.release());
  } catch (error) {
    if (!isInUse(error)) throw error;
  }
}

/** The directory last, and only where nobody has begun another backup in it since its lock went. */
async function removeAll(path: string): Promise<void> {
  await rm(join(path, linkFolderName), { recursive: true, force: true });
  await rm(join(path, lockFile), { force: true });
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "ENOENT") throw error;
  });
}

function lockAlone(path: string): { release(): void } {
  try {
    return lockDirectory(path);
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new StillageError("failed-precondition", "another backup of this store is under way", { cause: error });
  }
}
