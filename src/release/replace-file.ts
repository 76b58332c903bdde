import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fromFileSystem } from "../base/errors.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";

/** Puts a file in the place of another, or of none. A crash leaves the old one or the new one, and at worst a `.new` beside it, which the next one replaces. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  try {
    await rm(fresh, { force: true });
    await writeNewFile(fresh, bytes);
    await rename(fresh, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw fromFileSystem(error, `${path} cannot be written`);
  }
}
