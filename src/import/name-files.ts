import { lstatSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breath } from "node:timers/promises";
import { StillageError } from "../base/errors.ts";
import { closeFile, readFully } from "../store/disk/file-io.ts";
import { openRegular } from "../store/disk/regular-file.ts";
import { maxMessageBytes } from "../store/ref-limits.ts";
import { entriesOf } from "./entries.ts";
import type { NameKind } from "./name-kind.ts";
import type { OldCache } from "./old-cache.ts";

/** Deeper than any element's name. */
const maxDepth = 50;

/** A name that was found, not read yet. */
export interface FoundName {
  readonly kind: NameKind;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * All names of an old cache, the last used first: what is taken together lies together, and where there is no room for all, it is the oldest that
 * stays behind. Memory: some 200 bytes each. `ignored` is called for each file that is no name, and for what is neither file nor folder.
 */
export async function findNames(cache: OldCache, ignored: () => void): Promise<FoundName[]> {
  const found: FoundName[] = [];
  for (const kind of cache.names) {
    const root = join(cache.directory, kind.folder);
    for await (const key of filesBelow(root, "", 0, ignored)) {
      const time = kind.isName(key) ? modified(join(root, key)) : undefined;
      if (time === undefined) ignored();
      else found.push({ kind, key, time });
    }
  }
  return found.sort((a, b) => b.time - a.time);
}

/** The file's bytes. Errors: `invalid` for a file that cannot be a name's, or cannot be read; `not-found` where it has gone. */
export async function readName(cache: OldCache, { kind, key }: FoundName): Promise<Uint8Array> {
  const bytes = await readSmall(join(cache.directory, kind.folder, key));
  // Old servers do not wait for the disk: after a crash of the machine files may be there without their bytes.
  if (bytes.length === 0) throw new StillageError("invalid", "it is empty");
  return bytes;
}

/** The bytes of a file as large as a name's at most. Errors: as of `readName`. */
export async function readSmall(path: string): Promise<Uint8Array> {
  try {
    const { fd, stats } = await openRegular(path);
    try {
      return await readWhole(fd, stats.size);
    } finally {
      await closeFile(fd);
    }
  } catch (error) {
    if (error instanceof StillageError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new StillageError("not-found", "it is gone", { cause: error });
    throw new StillageError("invalid", `it cannot be read: ${code}`, { cause: error });
  }
}

async function readWhole(fd: number, size: number): Promise<Uint8Array> {
  if (size > maxMessageBytes) throw new StillageError("invalid", `it has ${size} bytes, which no name has`);
  const bytes = new Uint8Array(size);
  return bytes.subarray(0, await readFully(fd, bytes, 0));
}

async function* filesBelow(root: string, path: string, depth: number, ignored: () => void): AsyncGenerator<string> {
  await breath(); // for signals and the progress line
  for (const entry of entriesOf(join(root, path))) {
    const key = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isFile()) yield key;
    else if (entry.isDirectory() && depth < maxDepth) yield* filesBelow(root, key, depth + 1, ignored);
    else ignored();
  }
}

function modified(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
