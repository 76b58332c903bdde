import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { checkWritableByUser, isRefusal, notAllowed } from "./directory-access.ts";
import { syncDirectory } from "./file-io.ts";

/**
 * Makes the directory of a store and those above it, durably, one after the other: a file system that has none of its own, such as /proc, ends
 * it. A crash leaves some of them, empty, and all but the last durable; so the last that is there is made durable here, too.
 * Errors: `failed-precondition` for what is no directory, or not this user's to write to; and those of the file system.
 */
export async function makeRoot(path: string): Promise<void> {
  const root = resolve(path);
  const what = `cannot make the directory ${root}`;
  const missing: string[] = [];
  try {
    let at = root;
    for (; !(await isDirectory(at, what)); at = dirname(at)) missing.push(at);
    await syncDirectory(dirname(at)).catch(ignoreWhatCannotBe);
    for (const each of missing.reverse()) {
      await makeOne(each, what);
      await syncDirectory(dirname(each));
    }
    checkWritableByUser(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EROFS") throw fromFileSystem(error, what);
    throw new StillageError("failed-precondition", `${root} is on a file system that is read-only here`, {
      hint: "under the units of the package, what is not in /var/lib/stillage takes ReadWritePaths= (docs/OPERATING.md)",
      cause: error,
    });
  }
}

async function isDirectory(path: string, what: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw isRefusal(error) ? notAllowed("read", dirname(path), error) : error;
  }
  throw new StillageError("failed-precondition", `${what}: ${path} is a file`, { hint: "name another directory" });
}

async function makeOne(path: string, what: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process has made it, or it is a link to nothing.
    if (code === "EEXIST" && (await isDirectory(path, what))) return;
    throw isRefusal(error) ? notAllowed("write to", dirname(path), error) : error;
  }
}

/** Whoever may not read the directory above has not made the one that is there; and some file systems sync no directory. */
function ignoreWhatCannotBe(error: unknown): void {
  if (!isRefusal(error) && (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
}

/**
 * The directories of a store, made as they are needed. Each is synced into the one above it on its first use, also where it was there: a
 * process before this one may have ended between the two steps. That is done without durability, too: there are few, and what lies in them
 * may be promised later.
 */
export class Directories {
  private readonly root: string;
  private readonly made = new Map<string, Promise<void>>();

  /** `root` exists. */
  constructor(root: string) {
    this.root = root;
  }

  /** Makes a directory below the root, and those between; resolves once they are there, durably. */
  ensure(path: string): Promise<void> {
    if (path === this.root) return Promise.resolve();
    let making = this.made.get(path);
    if (making === undefined) {
      making = this.make(path);
      this.made.set(path, making);
      making.catch(() => this.made.delete(path)); // the next one tries again
    }
    return making;
  }

  private async make(path: string): Promise<void> {
    const above = dirname(path);
    await this.ensure(above);
    await makeFolder(path);
    await syncDirectory(above);
  }
}
