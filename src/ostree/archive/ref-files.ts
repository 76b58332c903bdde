import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { type Checksum, isChecksum } from "../object-name.ts";
import { isRefName } from "../ref-name.ts";

/** Where the refs are, each a file with a checksum, or a symbolic link to another, an alias. */
export const headsPath = "refs/heads";

/** Bytes of a ref's file that are read: a checksum, the end of the line, and some that tell what else it is. */
const headBytes = 128;

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
  const commit = await readHead(path, name);
  if (commit === undefined) return undefined;
  if (!isChecksum(commit)) throw noChecksum(name, commit);
  if (isPlain) return { commit };
  // A link to somewhere else is no alias.
  const heads = await realpath(join(repository, headsPath));
  const target = await realpath(path).then(
    (there) => relative(heads, there),
    (error: unknown) => {
      if (isAbsent(error)) return undefined; // removed since it was read
      throw unreadable(name, String(error));
    },
  );
  if (target === undefined) return undefined;
  if (target === name) return { commit };
  if (isRefName(target)) return { commit, aliasOf: target };
  throw unreadable(name, "it is a link that leads out of the repository's refs");
}

/** What a ref's file says, or the beginning of it; `undefined` where there is no file. Neither pipes nor devices hold us up. Errors: `corrupt`. */
async function readHead(path: string, name: string): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isDirectory() && (await lstat(path)).isDirectory()) return undefined;
    if (!stats.isFile()) throw unreadable(name, "it is neither a file nor a link to one");
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString("latin1", 0, bytesRead).trimEnd();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error instanceof StillageError ? error : unreadable(name, String(error));
  } finally {
    await handle?.close();
  }
}

/** ENOENT also for an alias of a ref that is gone; ENOTDIR for `a/b/c` where there is `a/b`. */
function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

const unreadable = (name: string, why: string): StillageError =>
  new StillageError("corrupt", `the ref ${name} cannot be read: ${why}`);

const noChecksum = (name: string, text: string): StillageError =>
  unreadable(name, `it says ${JSON.stringify(text.slice(0, 80))}`);

/** The names of all refs, sorted. Files whose names no ref can have are none: see `otherHeads`. */
export async function refNames(repository: string): Promise<string[]> {
  return (await refFiles(repository)).map(({ name }) => name);
}

async function refFiles(repository: string): Promise<FoundFile[]> {
  const files = await filesBelow(join(repository, headsPath), "");
  return files.filter(({ name }) => isRefName(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All refs, sorted by name. Errors: `corrupt`. */
export async function listRefs(repository: string): Promise<ReadonlyMap<string, Ref>> {
  return readRefs(repository, await refFiles(repository));
}

async function readRefs(repository: string, files: readonly FoundFile[]): Promise<ReadonlyMap<string, Ref>> {
  const found = new Map<string, Ref | undefined>(files.map(({ name }) => [name, undefined]));
  await inParallel(files, atOnce, async ({ name, isPlain }) => {
    found.set(name, await readRef(repository, name, isPlain));
  });
  return new Map([...found].filter((entry): entry is [string, Ref] => entry[1] !== undefined));
}

/** The refs below one, such as `a/b` and `a/c/d` below `a`, sorted by name. Errors: `corrupt`. */
export async function refsBelow(repository: string, name: string): Promise<ReadonlyMap<string, Ref>> {
  const files = isRefName(name) ? await filesBelow(join(repository, headsPath), name) : [];
  return readRefs(
    repository,
    files.filter((file) => isRefName(file.name)),
  );
}

/**
 * The files below `refs` that are no refs to us, and keep their commits all the same: those of others' programs in `mirrors` and `remotes`, and those in `heads`
 * whose names no ref of ours can have. Paths in `refs`.
 */
export async function otherHeads(repository: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["heads", "mirrors", "remotes"]) {
    for (const { name } of await filesBelow(join(repository, "refs", folder), "")) {
      if (folder !== "heads" || !isRefName(name)) found.push(`${folder}/${name}`);
    }
  }
  return found;
}

/** Where one of the `otherHeads` leads; `undefined` for what is none, such as an editor's file. Errors: `corrupt` where it cannot be read. */
export async function readOtherHead(repository: string, name: string): Promise<Checksum | undefined> {
  const commit = await readHead(join(repository, "refs", name), name);
  if (commit === undefined || isChecksum(commit)) return commit;
  if (isRefName(name)) throw noChecksum(name, commit);
  return undefined;
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
