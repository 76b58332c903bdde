import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { closeFile, openFile, syncData, writeAll } from "../store/disk/file-io.ts";
import { parseName } from "../store/disk/file-paths.ts";
import {
  encodeBlock,
  type IndexBlock,
  isPresent,
  present,
  readBlocks,
  recordWords,
  writeRecord,
} from "../store/disk/index-format.ts";
import { newPath, writeIndexAnew } from "../store/disk/index-rewrite.ts";

/** Records of a block of those that nobody has listed. */
const blockRecords = 1000;

/** Large blobs of a shelf: their paths as seen from `root`, where they lie. */
export interface JournaledFiles {
  readonly root: string;
  readonly function: DigestFunction;
  readonly paths: ReadonlySet<string>;
}

/**
 * Writes the journal of those large blobs that a backup has, with what the store's own says of their last use, beside its place as `newPath` has it. The
 * store's own may list what came while files were copied, and no longer list what went, or list that it went; what it does not list counts as used at
 * `now`, in seconds. Without a `source`, that is all of it.
 */
export async function copyJournal(
  source: string | undefined,
  target: string,
  files: JournaledFiles,
  now: number,
): Promise<void> {
  const { function: fn, paths } = files;
  const unlisted = new Map([...paths].map((path) => [basename(path), path]));
  const names = new Set(unlisted.keys());
  const fd = source === undefined ? undefined : openIfThere(source);
  let length: number;
  try {
    const old = fd === undefined ? [] : readBlocks(fd, fstatSync(fd).size, fn);
    length = await writeIndexAnew(target, fn, old, (records, at) => {
      const name = nameAt(records, at, fn);
      if (!names.has(name) || !isPresent(records, at, fn)) return undefined;
      unlisted.delete(name);
      return records[at + fn.words + 3] as number;
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  if (unlisted.size > 0) await append(newPath(target), length, blocksOf([...unlisted.values()], files, now));
}

/** The names of the files that a journal lists, as far as it verifies. */
export function journaledNames(journal: string, fn: DigestFunction): Set<string> {
  const names = new Set<string>();
  const fd = openIfThere(journal);
  if (fd === undefined) return names;
  try {
    for (const { records, count } of readBlocks(fd, fstatSync(fd).size, fn)) {
      for (let i = 0, at = 0; i < count; i++, at += recordWords(fn)) {
        if (isPresent(records, at, fn)) names.add(nameAt(records, at, fn));
        else names.delete(nameAt(records, at, fn));
      }
    }
    return names;
  } finally {
    closeSync(fd);
  }
}

async function append(path: string, position: number, blocks: Iterable<Uint8Array>): Promise<void> {
  const fd = await openFile(path, "r+");
  try {
    let at = position;
    for (const block of blocks) {
      await writeAll(fd, block, at);
      at += block.length;
    }
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}

function* blocksOf(
  paths: readonly string[],
  { root, function: fn }: JournaledFiles,
  now: number,
): Generator<Uint8Array> {
  const width = recordWords(fn);
  for (let from = 0; from < paths.length; from += blockRecords) {
    const records = new Uint32Array(blockRecords * width);
    let count = 0;
    for (const path of paths.slice(from, from + blockRecords)) {
      const { hash, serial } = parseName(basename(path), fn.hexLength) ?? notNamed(path);
      const { size } = statSync(join(root, path));
      const { words } = DigestList.of({ function: fn, hash, size });
      writeRecord(records, count++ * width, fn, { kind: present, words, word: 0, offset: serial, size, used: now });
    }
    yield encodeBlock(fn, records, count, 0);
  }
}

/** Such files are not in the list. */
function notNamed(path: string): never {
  throw new StillageError("internal", `${path} has no name of a blob`);
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The name of a record's file: `HASH.SERIAL`. */
function nameAt(records: IndexBlock["records"], at: number, fn: DigestFunction): string {
  let hash = "";
  for (let w = 0; w < fn.words; w++) hash += (records[at + w] as number).toString(16).padStart(8, "0");
  return `${hash}.${records[at + fn.words]}`;
}
