import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./file-io.ts";

/** Makes the directory of a store and those above it, durably. A crash leaves some of them, empty. */
export async function makeRoot(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncDirectory(dirname(at));
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
    await mkdir(path, { recursive: true });
    await syncDirectory(above);
  }
}
