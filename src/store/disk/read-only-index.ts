import { closeSync, existsSync, fstatSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DigestFunction } from "../../base/digest-function.ts";
import { fromFileSystem } from "../../base/errors.ts";
import { DigestIndex, inFile } from "./digest-index.ts";
import type { FilePaths } from "./file-paths.ts";
import { isPresent, readBlocks, recordWords } from "./index-format.ts";
import { indexName, numberIn, packHeaderLength, packName } from "./pack.ts";
import { scanPack } from "./pack-scan.ts";

/** What lies where in the directory of one tenant and function, as it was when this was made, while another process may be writing there. */
export class ReadOnlyIndex {
  readonly index: DigestIndex;
  /** Paths of packs by their place in the index. */
  readonly packs: string[] = [];
  private readonly function: DigestFunction;
  private readonly paths: FilePaths;
  private readonly folder: string;
  /** What there was before anything was read. */
  private readonly names: string;
  private readonly journal: string;

  /** `folder` is where the packs are; none of the directories need be there. */
  constructor(folder: string, paths: FilePaths, fn: DigestFunction) {
    this.function = fn;
    this.paths = paths;
    this.folder = folder;
    this.index = new DigestIndex(fn, [1, 1], 0); // nobody chooses hashes for one who only looks
    const names = packsIn(folder);
    this.names = names.join();
    this.journal = stateOf(paths.journal);
    for (const name of names) this.loadPack(numberIn(name)?.number as number);
    this.loadFiles();
  }

  /** Whether there are other packs now: a blob that is not in the index may have moved while that was read. */
  get hasOtherPacks(): boolean {
    return packsIn(this.folder).join() !== this.names;
  }

  /** Whether what is not in its place may be elsewhere now. */
  get isOutdated(): boolean {
    return this.hasOtherPacks || stateOf(this.paths.journal) !== this.journal;
  }

  /** Takes what the index file of a pack lists, and finds by their bytes the records behind that. */
  private loadPack(number: number): void {
    const slot = this.packs.push(join(this.folder, packName(number))) - 1;
    let covered = packHeaderLength;
    const { function: fn, index } = this;
    const width = recordWords(fn);
    this.eachBlock(join(this.folder, indexName(number)), (records, until) => {
      for (let at = 0; at < records.length; at += width) {
        const [offset, size] = [records[at + fn.words] as number, records[at + fn.words + 1] as number];
        const used = records[at + fn.words + 3] as number;
        this.take(records, at, { slot, offset, size, used }, isPresent(records, at, fn));
      }
      covered = Math.max(covered, until);
    });
    const fd = openIfThere(this.packs[slot] as string);
    if (fd === undefined) return;
    try {
      const { size: end, mtimeMs } = fstatSync(fd);
      const used = Math.floor(mtimeMs / 1000);
      scanPack(fd, covered, end, fn, (digests, offset) => {
        const size = digests.sizes[0] as number;
        if (index.find(digests.words, 0) < 0) this.take(digests.words, 0, { slot, offset, size, used }, true);
      });
    } finally {
      closeSync(fd);
    }
  }

  private loadFiles(): void {
    const { function: fn } = this;
    const width = recordWords(fn);
    this.eachBlock(this.paths.journal, (records) => {
      for (let at = 0; at < records.length; at += width) {
        const field = at + fn.words;
        const size = (records[field + 1] as number) + ((records[field + 2] as number) & 0xffffff) * 0x100000000;
        const [offset, used] = [records[field] as number, records[field + 3] as number];
        this.take(records, at, { slot: inFile, offset, size, used }, isPresent(records, at, fn));
      }
    });
  }

  /** A blob is, or is no longer, at a place. Of two places in packs the first counts, of two files the last. */
  private take(
    words: Uint32Array,
    word: number,
    at: { slot: number; offset: number; size: number; used: number },
    there: boolean,
  ): void {
    const { index } = this;
    const entry = index.find(words, word);
    const same = entry >= 0 && index.place(entry) === at.slot && index.offset(entry) === at.offset;
    if (there ? entry >= 0 && at.slot === inFile && index.place(entry) === inFile : same) index.remove(entry);
    if (there && index.find(words, word) < 0) index.insert(words, word, at.size, at.slot, at.offset, at.used);
  }

  private eachBlock(path: string, take: (records: Uint32Array, covered: number) => void): void {
    const fd = openIfThere(path);
    if (fd === undefined) return;
    try {
      for (const { records, covered } of readBlocks(fd, fstatSync(fd).size, this.function)) take(records, covered);
    } finally {
      closeSync(fd);
    }
  }
}

function packsIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => numberIn(name)?.isPack).sort();
}

/** What changes whenever a file does that is only appended to, or replaced. */
function stateOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size}`;
}

export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fromFileSystem(error, `cannot read ${path}`);
  }
}
