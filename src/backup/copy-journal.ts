import { closeSync, fstatSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { DigestFunction } from "../base/digest-function.ts";
import { readBlocks } from "../store/disk/index-format.ts";
import { newPath, writeIndexAnew } from "../store/disk/index-rewrite.ts";

/**
 * Writes the journal of those large blobs that a backup has, of what the store's own says of them, beside its place as `newPath` has it: the store's own may
 * list what came, or went, while files were copied. False where it does not list all of them, and nothing is written: without a
 * journal every file counts.
 */
export async function copyJournal(
  source: string,
  target: string,
  fn: DigestFunction,
  files: ReadonlySet<string>,
): Promise<boolean> {
  const names = new Set([...files].map((path) => basename(path)));
  let fd: number;
  try {
    fd = openSync(source, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const listed = new Set<string>();
    await writeIndexAnew(target, fn, readBlocks(fd, fstatSync(fd).size, fn), (records, at) => {
      const name = `${hashAt(records, at, fn)}.${records[at + fn.words]}`;
      if (!names.has(name)) return undefined;
      listed.add(name);
      return records[at + fn.words + 3] as number;
    });
    if (listed.size === names.size) return true;
    await rm(newPath(target));
    return false;
  } finally {
    closeSync(fd);
  }
}

function hashAt(records: Uint32Array, at: number, fn: DigestFunction): string {
  let hash = "";
  for (let w = 0; w < fn.words; w++) hash += (records[at + w] as number).toString(16).padStart(8, "0");
  return hash;
}
