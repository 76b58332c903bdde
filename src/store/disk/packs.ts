import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readdirSync, readSync, unlinkSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { inParallel } from "../../base/in-parallel.ts";
import { entryLength } from "../batch-entry.ts";
import type { DigestIndex } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile, openFile, syncData, syncDirectory, writeAll } from "./file-io.ts";
import { type IndexBlock, isPresent, present, recordWords, removed } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";
import { newEnding } from "./index-rewrite.ts";
import { indexName, numberIn, Pack, packHeader, packHeaderLength, type Unlisted } from "./pack.ts";
import { scanPack } from "./pack-scan.ts";

/** Index files that are synced at the same time; the rest of the thread pool is for others. */
const syncsAtATime = 2;

/** The packs of one function: found at start, and made as they are needed. */
export class Packs {
  /** By their place in the index. */
  readonly bySlot: Pack[] = [];
  private readonly directory: string;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private highest = 0;

  constructor(directory: string, index: DigestIndex, context: DiskContext) {
    this.directory = directory;
    this.index = index;
    this.context = context;
  }

  /** The pack that the index leads to. */
  at(slot: number): Pack {
    return this.bySlot[slot] as Pack;
  }

  /** Finds what there is: reads the index files, and of each pack only what its index file does not list. */
  async load(): Promise<void> {
    if (!existsSync(this.directory)) return;
    const numbers: number[] = [];
    for (const name of readdirSync(this.directory)) {
      const found = numberIn(name);
      if (found?.isPack) numbers.push(found.number);
      if (name.endsWith(newEnding)) unlinkSync(join(this.directory, name));
    }
    for (const number of numbers.sort((a, b) => a - b)) await this.loadPack(number);
    this.dropIndexesWithoutPack(new Set(numbers));
  }

  /**
   * Begins a pack and returns it. A crash leaves a pack without records, with or without its header
   * and its name; nothing in it has been acknowledged, and `load` takes it as it is.
   */
  async create(): Promise<Pack> {
    const { context, directory } = this;
    await context.directories.ensure(directory);
    this.highest++;
    const pack = this.newPack(this.highest);
    const fd = await openFile(pack.path, "wx");
    try {
      try {
        await writeAll(fd, packHeader(this.index.function), 0);
      } finally {
        await closeFile(fd);
      }
      if (context.durable) await syncDirectory(directory);
      context.faults.reach("pack created");
    } catch (error) {
      await unlink(pack.path);
      throw error;
    }
    this.bySlot.push(pack);
    context.space.add(packHeaderLength);
    return pack;
  }

  /**
   * Notes that a blob, which the index has no more, is removed from a pack; `commit` makes that durable, and a crash before may bring the
   * blob back. Its bytes stay where they are, dead. The hash begins at `words[word]`. False where there is nothing to commit.
   */
  noteRemoval(pack: Pack, words: Uint32Array, word: number, offset: number, size: number): boolean {
    const fn = this.index.function;
    pack.live -= entryLength(fn, size);
    const record = { kind: removed, words, word, offset, size, used: this.context.now() } as const;
    const unlisted = pack.unlisted.findIndex((each) => each.record.offset === offset);
    if (unlisted < 0) {
      pack.index.add(record);
      return true;
    }
    // Listed before its blob is, the removal would be undone when the blob's own turn comes.
    const { end } = pack.unlisted[unlisted] as Unlisted;
    pack.unlisted[unlisted] = { record: { ...record, words: words.slice(word, word + fn.words), word: 0 }, end };
    return false;
  }

  /** Makes durable what was noted of packs: one sync of each index file. */
  async commit(packs: Iterable<Pack>): Promise<void> {
    await inParallel(packs, syncsAtATime, (pack) => pack.index.commit());
    this.context.faults.reach("removal journaled");
  }

  /** Writes the index of a pack anew, with the last use of its blobs. */
  async saveUse(pack: Pack): Promise<void> {
    const { words } = this.index.function;
    await pack.index.rewrite((records, at) => this.index.usedAt(records, at, pack.slot, records[at + words] as number));
  }

  private newPack(number: number): Pack {
    const { directory, index, context } = this;
    const log = new IndexLog(join(directory, indexName(number)), index.function, context.faults);
    return new Pack(directory, number, this.bySlot.length, log);
  }

  private async loadPack(number: number): Promise<void> {
    const { index, context } = this;
    const pack = this.newPack(number);
    this.bySlot.push(pack);
    this.highest = number;
    const fd = openSync(pack.path, "r+");
    try {
      const { size } = fstatSync(fd);
      if (!hasHeader(fd, packHeader(index.function))) {
        context.log.warn({ pack: pack.path }, "the header of a pack is damaged; its records are served as they verify");
      }
      pack.index.load((block) => this.takeBlock(pack, block, size));
      const listed = pack.end;
      if (size > listed) await this.recoverTail(pack, fd, size);
      await pack.index.close();
    } finally {
      closeSync(fd);
    }
    context.space.add(pack.end + pack.index.length);
  }

  /** Takes what one block of an index file lists; false where it lists what cannot be in the pack. */
  private takeBlock(pack: Pack, block: IndexBlock, size: number): boolean {
    const { index } = this;
    const fn = index.function;
    const { records, covered } = block;
    if (covered > size) return false;
    const width = recordWords(fn);
    for (let at = 0; at < records.length; at += width) {
      const field = at + fn.words;
      const offset = records[field] as number;
      const length = entryLength(fn, records[field + 1] as number);
      const entry = index.find(records, at);
      if (isPresent(records, at, fn)) {
        if (offset < packHeaderLength || offset + length > size) return false;
        if (entry >= 0) continue; // the same blob in an earlier pack
        index.insert(records, at, records[field + 1] as number, pack.slot, offset, records[field + 3] as number);
        pack.live += length;
      } else if (entry >= 0 && index.place(entry) === pack.slot && index.offset(entry) === offset) {
        index.remove(entry);
        pack.live -= length;
      }
    }
    pack.end = Math.max(pack.end, covered);
    return true;
  }

  /**
   * Finds the records behind what the index file lists, makes them durable, as they may have been on their way, and cuts off the torn
   * end of a write.
   */
  private async recoverTail(pack: Pack, fd: number, size: number): Promise<void> {
    const { index, context } = this;
    const used = context.now();
    let blobs = 0;
    const end = scanPack(fd, pack.end, size, index.function, (digests, offset, length) => {
      if (index.find(digests.words, 0) >= 0) return;
      const blob = digests.sizes[0] as number;
      index.insert(digests.words, 0, blob, pack.slot, offset, used);
      pack.index.add({ kind: present, words: digests.words, word: 0, offset, size: blob, used }, offset + length);
      pack.live += length;
      blobs++;
    });
    context.log.info({ pack: pack.path, blobs, cut: size - end }, "found blobs behind the index of a pack");
    if (end < size) ftruncateSync(fd, end);
    pack.end = end;
    await syncData(fd); // what is listed is not verified again, whether or not the store is durable
    await pack.index
      .write()
      .catch((error) => context.log.warn({ pack: pack.path, error }, "cannot write the index of a pack now"));
  }

  private dropIndexesWithoutPack(numbers: ReadonlySet<number>): void {
    for (const name of readdirSync(this.directory)) {
      const found = numberIn(name);
      if (found === undefined || found.isPack || numbers.has(found.number)) continue;
      this.context.log.error({ directory: this.directory, index: name }, "a pack is gone, and the blobs in it");
      this.highest = Math.max(this.highest, found.number);
      unlinkSync(join(this.directory, indexName(found.number)));
    }
  }
}

function hasHeader(fd: number, header: Buffer): boolean {
  const bytes = Buffer.alloc(header.length);
  return readSync(fd, bytes, 0, bytes.length, 0) === bytes.length && bytes.equals(header);
}
