import { knownNode } from "../../artifact/commit-entries.ts";
import { type Entry, parseEntries } from "../../artifact/directory-entries.ts";
import { directoryTime } from "../../artifact/node-time.ts";
import { dirtrees } from "../../artifact/tree-format.ts";
import { type Digest, isEmptyBlob, keyOfDigest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import { type BlobSource, maxSmallBytes, oneByOne } from "../blob-place.ts";
import { wholeStream } from "../blob-reader.ts";

/** A directory in a tree, its entries by name in the order of their UTF-16 code units, each name once. */
export interface WholeDirectory {
  readonly entries: readonly Entry[];
  /** In seconds since 1970, where that is told. */
  readonly modified: number | undefined;
}

/** All directories of a tree, each once however often it is in there. */
export interface WholeTree {
  readonly root: Digest;
  directory(digest: Digest): WholeDirectory;
}

/** Directories within each other: a path on Linux has at most 4096 characters. */
export const maxLevels = 1000;

/** A directory of some 250,000 files; of all together, those of several operating systems. */
const maxDirectoryBytes = 32 << 20;
const maxTreeBytes = 512 << 20;

/** Dirtrees that are read, and file objects that are looked into, at a time. */
const atOnce = 16;

/**
 * Reads a tree of Directory messages, a level at a time: one question for each, however many directories it has. Errors: `not-found` for a directory that is not there, `corrupt` for what is none or has a name twice, `unsupported` for a tree that is too large.
 */
export async function readTree(blobs: BlobSource, root: Digest, signal: AbortSignal): Promise<WholeTree> {
  const known = new Map<string, WholeDirectory>();
  let bytes = 0;
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxLevels) throw tooDeep();
    bytes += level.reduce((sum, { size }) => sum + size, 0);
    if (bytes > maxTreeBytes) throw tooLarge(`has more than ${maxTreeBytes >> 20} MiB of directories`);
    await readLevel(blobs, level, known, signal);
    const next = new Map<string, Digest>();
    for (const digest of level) {
      for (const entry of directoryIn(known, digest).entries) {
        if (entry.type !== "directory" || known.has(keyOfDigest(entry.digest))) continue;
        next.set(keyOfDigest(entry.digest), entry.digest);
      }
    }
    level = [...next.values()];
  }
  return { root, directory: directoriesOf(known) };
}

/** Reads directories that are not known yet. Errors: as above. */
export async function readLevel(
  blobs: BlobSource,
  digests: readonly Digest[],
  known: Map<string, WholeDirectory>,
  signal: AbortSignal,
): Promise<void> {
  const take = (digest: Digest, bytes: Uint8Array): void => {
    known.set(keyOfDigest(digest), parseDirectory(digest, bytes));
  };
  const small: Digest[] = [];
  const distinct = new Map(digests.map((digest) => [keyOfDigest(digest), digest]));
  for (const [key, digest] of distinct) {
    if (known.has(key)) continue;
    if (isEmptyBlob(digest)) take(digest, new Uint8Array(0));
    else if (digest.size <= maxSmallBytes) small.push(digest);
    else {
      if (digest.size > maxDirectoryBytes) throw tooLarge(`has a directory of ${digest.size} bytes`);
      const bytes = await wholeStream(blobs, digest, signal);
      if (bytes === undefined) throw lost(digest);
      take(digest, bytes);
    }
  }
  const [missing] = small.length === 0 ? [] : await blobs.readMany(small, oneByOne(take), signal);
  if (missing !== undefined) throw lost(missing);
}

/** The same of a tree of OSTree's dirtrees, whose files say what they are themselves. Errors: as above. */
export async function readCommitTree(reader: BlobReader, root: Digest, signal: AbortSignal): Promise<WholeTree> {
  const known = new Map<string, WholeDirectory>();
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxLevels) throw tooDeep();
    const next = new Map<string, Digest>();
    await inParallel(level, atOnce, async (digest) => {
      signal.throwIfAborted();
      const nodes = await dirtrees.readEntries(reader, digest);
      if (nodes === undefined) throw lost(digest);
      const entries = new Array<Entry>(nodes.length);
      await inParallel(nodes.entries(), atOnce, async ([i, node]) => {
        const entry = await knownNode(reader, node);
        if (entry === undefined || (entry.type === "directory" && entry.digest === undefined)) {
          throw new StillageError("not-found", `${JSON.stringify(node.name)} of the tree is missing`);
        }
        entries[i] = entry as Entry;
        if (entry.type === "directory") next.set(keyOfDigest(entry.digest as Digest), entry.digest as Digest);
      });
      checkEntries(digest, entries);
      known.set(keyOfDigest(digest), { entries, modified: undefined });
    });
    level = [...next.values()].filter((digest) => !known.has(keyOfDigest(digest)));
  }
  return { root, directory: directoriesOf(known) };
}

/** Gives directories that were read. */
export function directoriesOf(known: ReadonlyMap<string, WholeDirectory>): WholeTree["directory"] {
  return (digest) => directoryIn(known, digest);
}

function directoryIn(known: ReadonlyMap<string, WholeDirectory>, digest: Digest): WholeDirectory {
  const found = known.get(keyOfDigest(digest));
  if (found === undefined) throw new Error(`the directory ${showDigest(digest)} was not read`);
  return found;
}

function parseDirectory(digest: Digest, bytes: Uint8Array): WholeDirectory {
  let entries: Entry[];
  try {
    entries = parseEntries(bytes, digest.function, Number.POSITIVE_INFINITY);
  } catch (error) {
    // Nobody who asks for it has done anything wrong.
    if (!(error instanceof StillageError)) throw error;
    throw new StillageError("corrupt", `the directory ${showDigest(digest)}: ${error.message}`, { cause: error });
  }
  checkEntries(digest, entries);
  return { entries, modified: directoryTime(bytes) };
}

/** What no file system can hold must not be found out halfway, and of two things with one name the second would be written through the first. */
function checkEntries(digest: Digest, entries: readonly Entry[]): void {
  for (const [i, entry] of entries.entries()) {
    const why =
      entry.name === entries[i - 1]?.name
        ? "has two entries of one name"
        : entry.type === "symlink" && (entry.target === "" || entry.target.includes("\0"))
          ? "has a link that leads nowhere"
          : undefined;
    if (why === undefined) continue;
    throw new StillageError("corrupt", `the directory ${showDigest(digest)} ${why}: ${JSON.stringify(entry.name)}`);
  }
}

function lost(digest: Digest): StillageError {
  return new StillageError("not-found", `the directory ${showDigest(digest)} of the tree is missing`, {
    hint: "the artifact is not whole there: pull it from where it is, or build it again",
  });
}

/** Of a tree with more levels than are read. */
export function tooDeep(): StillageError {
  return tooLarge(`has more than ${maxLevels} directories within each other`);
}

function tooLarge(why: string): StillageError {
  return new StillageError("unsupported", `the tree ${why}, which is more than is read`);
}
