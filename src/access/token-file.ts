import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { parseTokens, showTokens, type TokenEntry } from "./token-list.ts";

/** Tens of thousands of tokens; a longer file is not one of ours. */
const maxFileBytes = 8 << 20;

/** A change takes milliseconds: what is left of one after this time was cut. */
const staleMs = 60_000;

/** While it is written. */
const ownerOnly = 0o600;
const ownerAndGroup = 0o660;
const allBits = 0o777;

/** The tokens in a file; none where there is no file. Errors: `failed-precondition` for a file that is not one of tokens. */
export async function readTokens(path: string): Promise<readonly TokenEntry[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fromFileSystem(error, `the token file ${path} cannot be read`);
  }
  if (text.length > maxFileBytes)
    throw new StillageError("failed-precondition", `${path} is too long for a token file`);
  return parseTokens(text, path);
}

/**
 * Replaces the tokens in a file by what `change` makes of them. The new file is written beside the old one, which keeps a second change
 * away, synced, and renamed: a crash leaves the old tokens or the new ones. The new file has the owner and the mode of the old one, a first one those of
 * the access file.
 */
export async function changeTokens(
  path: string,
  accessFile: string,
  change: (entries: readonly TokenEntry[]) => readonly TokenEntry[],
  clock: Clock = systemClock,
): Promise<void> {
  const fresh = `${path}.new`;
  removeStale(fresh, clock);
  let fd: number;
  try {
    fd = openSync(fresh, "wx", ownerOnly);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new StillageError("unavailable", `${path} is being changed by another command`, { hint: "try again" });
    }
    throw fromFileSystem(error, `${fresh} cannot be made`);
  }
  try {
    const text = showTokens(change(await readTokens(path)));
    keepOwner(fd, path, accessFile);
    writeSync(fd, text);
    fsyncSync(fd);
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(fresh, { force: true });
    throw fromFileSystem(error, `${path} cannot be changed`);
  } finally {
    closeSync(fd);
  }
}

function removeStale(fresh: string, clock: Clock): void {
  const found = statOf(fresh);
  if (found !== undefined && clock() - found.mtimeMs > staleMs) rmSync(fresh, { force: true });
}

/** As the old file; a first one is for whoever the access file is for, but not for everybody. */
function keepOwner(fd: number, path: string, accessFile: string): void {
  const old = statOf(path);
  const { uid, gid, mode } = old ?? statSync(accessFile);
  fchmodSync(fd, mode & (old === undefined ? ownerAndGroup : allBits));
  if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
