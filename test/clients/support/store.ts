import assert from "node:assert/strict";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { programFile } from "../../support/program-file.ts";
import { checkout } from "./checkout.ts";
import { runOk } from "./program.ts";

/** Removes the one file of this size from a store, as a damaged disk would. */
export async function loseFile(store: string, size: number): Promise<void> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lengths = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const found = paths.filter((_, i) => lengths[i] === size);
  assert.equal(found.length, 1, `the store has ${found.length} files of ${size} bytes`);
  await rm(found[0] as string);
}

/** Reads all of a store whose server has ended; rejects where anything is wrong with it. */
export async function fsck(store: string): Promise<void> {
  await runOk(process.execPath, [programFile("stillage"), "store", "fsck", "--store", store], { cwd: checkout });
}
