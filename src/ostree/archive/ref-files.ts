import type { Dirent } from "node:fs";
import { readdir, readFile, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { type Checksum, isChecksum } from "../object-name.ts";
import { isRefName } from "../ref-name.ts";

/** Where the refs are, each a file with a checksum, or a symbolic link to another, an alias. */
export const headsPath = "refs/heads";

/** Refs that are read at the same time. */
const atOnce = 8;

/** A ref and where it leads. */
export interface Ref {
  readonly commit: Checksum;
  /** The ref that it is another name of. */
  readonly aliasOf?: string;
}

/** What a ref's file has in it. */
export function refText(commit: Checksum): Uint8Array {
  return Buffer.from(`${commit}\n`);
}

/**
 * One ref; `undefined` where there is none. `isPlain`: nothing on the way to it is a link, which spares the look. Errors: `corrupt` where it cannot
 * be read.
 */
export async function readRef(repository: string, name: string, isPlain = false): Promise<Ref | undefined> {
  const path = join(repository, headsPath, name);
  try {
    const text = await readFile(path, "latin1");
    const commit = text.trimEnd();
    if (!isChecksum(commit)) throw unreadable(name, `it says ${JSON.stringify(text.slice(0, 80))}`);
    if (isPlain) return { commit };
    // A link to somewhere else is no alias.
    const heads = await realpath(join(repository, headsPath));
    const target = relative(heads, await realpath(path));
    if (target === name) return { commit };
    if (isRefName(target)) return { commit, aliasOf: target };
    throw unreadable(name, "it is a link that leads out of the repository's refs");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error instanceof StillageError ? error : unreadable(name, String(error));
  }
}

/** ENOENT also for an alias of a ref that is gone; EISDIR and ENOTDIR for `a` and `a/b/c` where there is `a/b`. */
function isAbsent(error: unknown): boolean {
  return ["ENOENT", "EISDIR", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

const unreadable = (name: string, why: string): StillageError =>
  new StillageError("corrupt", `the ref ${name} cannot be read: ${why}`);

/** The names of all refs, sorted. Files whose names no ref can have are none. */
export async function refNames(repository: string): Promise<string[]> {
  return (await refFiles(repository)).map(({ name }) => name);
}

async function refFiles(repository: string): Promise<FoundFile[]> {
  const files = await filesBelow(join(repository, headsPath), "");
  return files.filter(({ name }) => isRefName(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All refs, sorted by name. Errors: `corrupt`. */
export async function listRefs(repository: string): Promise<ReadonlyMap<string, Ref>> {
  const files = await refFiles(repository);
  const found = new Map<string, Ref | undefined>(files.map(({ name }) => [name, undefined]));
  await inParallel(files, atOnce, async ({ name, isPlain }) => {
    found.set(name, await readRef(repository, name, isPlain));
  });
  return new Map([...found].filter((entry): entry is [string, Ref] => entry[1] !== undefined));
}

/** The commits that others' programs keep below `refs/mirrors` and `refs/remotes`. */
export async function foreignHeads(repository: string): Promise<Map<string, Checksum>> {
  const heads = new Map<string, Checksum>();
  for (const folder of ["refs/mirrors", "refs/remotes"]) {
    for (const { name } of await filesBelow(join(repository, folder), "")) {
      const commit = (await readFile(join(repository, folder, name), "latin1").catch(() => "")).trimEnd();
      if (isChecksum(commit)) heads.set(`${folder.slice("refs/".length)}/${name}`, commit);
    }
  }
  return heads;
}

interface FoundFile {
  readonly name: string;
  readonly isPlain: boolean;
}

async function filesBelow(top: string, below: string): Promise<FoundFile[]> {
  const entries = await readdir(join(top, below), { withFileTypes: true }).catch((error: unknown): Dirent[] => {
    if (isAbsent(error)) return [];
    throw error;
  });
  const found: FoundFile[] = [];
  for (const entry of entries) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(top, name)));
    else found.push({ name, isPlain: entry.isFile() });
  }
  return found;
}
