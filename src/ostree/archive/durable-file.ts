import { closeSync, fchmodSync, fdatasync, openSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromFileSystem } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";

/** As everybody may read it, whatever the umask: what a repository has is for clients, of a web server perhaps. */
const mode = 0o644;

/** Waits until the entries of a directory are on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory and what leads to it below `top`, and syncs each that got a new entry. */
export async function makeDirectories(top: string, below: string): Promise<void> {
  for (const path of (await makeFolder(join(top, below))).toReversed()) await syncDirectory(dirname(path));
}

/** A file that was not there before, written from its beginning to its end. Its bytes are on the disk once `finish` resolves. */
export class NewFile {
  private readonly handle: FileHandle;
  private readonly path: string;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /** Errors: of the file system, translated. */
  static async create(path: string): Promise<NewFile> {
    const handle = await open(path, "wx", mode).catch((error: unknown) => fail(error, path));
    await handle.chmod(mode);
    return new NewFile(path, handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < bytes.length; ) {
        from += (await this.handle.write(bytes, from, bytes.length - from)).bytesWritten;
      }
    } catch (error) {
      fail(error, this.path);
    }
  }

  async finish(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      fail(error, this.path);
    } finally {
      await this.handle.close();
    }
  }

  /** Gives it up; whoever staged it removes it. */
  async drop(): Promise<void> {
    await this.handle.close().catch(() => {});
  }
}

/**
 * Writes a file that was not there before; its bytes are on the disk then. Only the wait for the disk is a turn of the event loop: the other steps take less time than
 * turns would, and a commit has thousands of such files.
 */
export async function writeNewFile(path: string, ...pieces: readonly Uint8Array[]): Promise<void> {
  try {
    const fd = openSync(path, "wx", mode);
    try {
      fchmodSync(fd, mode);
      for (const bytes of pieces) {
        for (let from = 0; from < bytes.length; ) from += writeSync(fd, bytes, from, bytes.length - from);
      }
      await new Promise<void>((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    fail(error, path);
  }
}

function fail(error: unknown, path: string): never {
  throw fromFileSystem(error, `cannot write ${path}`);
}
