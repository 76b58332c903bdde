import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { lockFile } from "./directory-lock.ts";
import { closeFile, openFile, syncData, syncDirectory, writeAll } from "./file-io.ts";

/** Says which format a directory is in: a line `stillage-store <version>`. */
export const stampFile = "format";
const newStamp = "format.new";
const version = 1;

/** What is in it. */
export const currentStamp = `stillage-store ${version}\n`;

/** What may lie in a directory that becomes a store: the root of a fresh file system has one thing of its own. */
const harmless = new Set(["lost+found", lockFile, newStamp]);

/**
 * Throws unless the directory is empty or a store of this format. Changes nothing.
 * Errors: `failed-precondition`.
 */
export function checkStamp(directory: string): void {
  const path = join(directory, stampFile);
  if (existsSync(path)) {
    const stamp = readFileSync(path, "utf8").slice(0, 100).trim();
    const found = /^stillage-store (\d+)$/.exec(stamp)?.[1];
    if (found === String(version)) return;
    const what = found === undefined ? `a file "${stampFile}" that is not a store's` : `a store of format ${found}`;
    throw new StillageError("failed-precondition", `${directory} has ${what}; this program knows format ${version}`);
  }
  const foreign = readdirSync(directory).find((name) => !harmless.has(name));
  if (foreign !== undefined) {
    throw new StillageError(
      "failed-precondition",
      `${directory} is not empty and not a store: it has ${JSON.stringify(foreign)}`,
      {
        hint: `name an empty directory, or one that does not exist${hintOnOthers(directory)}`,
      },
    );
  }
}

/** Who changes servers names the directory of the old one first. */
function hintOnOthers(directory: string): string {
  const ofOther = existsSync(join(directory, "cas"));
  return ofOther ? "; `stillage store import` takes over there what another cache server left here" : "";
}

/** Stamps a directory that has none yet. A crash leaves it without a stamp, and without anything else. */
export async function stamp(directory: string): Promise<void> {
  const path = join(directory, stampFile);
  if (existsSync(path)) return;
  const fd = await openFile(join(directory, newStamp), "w");
  try {
    await writeAll(fd, Buffer.from(currentStamp), 0);
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
  await rename(join(directory, newStamp), path);
  await syncDirectory(directory);
}
