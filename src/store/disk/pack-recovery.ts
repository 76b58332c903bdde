import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { DigestFunction } from "../../base/digest-function.ts";
import { entryLength } from "../batch-entry.ts";
import { recordBytes } from "./blob-room.ts";
import type { DigestIndex } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { syncData, syncDirectory } from "./file-io.ts";
import { type IndexBlock, type IndexRecord, isPresent, present, recordWords, removed } from "./index-format.ts";
import { newEnding } from "./index-rewrite.ts";
import { goneEnding, indexName, numberIn, type Pack, packHeader, packHeaderLength } from "./pack.ts";
import { scanPack } from "./pack-scan.ts";

/** Records of blobs that an earlier pack has, by their offset: dead, and to be noted as removed where that has not been done. */
type Doubles = Map<number, IndexRecord>;

/** Finds the packs of one function at start: reads the index files, and of each pack only what its index file does not list. */
export class PackRecovery {
  private readonly directory: string;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private readonly add: (number: number) => Pack;
  private highest = 0;

  /** `add` makes the pack of a number one of those that there are. */
  constructor(directory: string, index: DigestIndex, context: DiskContext, add: (number: number) => Pack) {
    this.directory = directory;
    this.index = index;
    this.context = context;
    this.add = add;
  }

  /** Fills the index and returns the highest number of a pack. */
  async run(): Promise<number> {
    if (!existsSync(this.directory)) return 0;
    const numbers: number[] = [];
    for (const name of readdirSync(this.directory)) {
      const found = numberIn(name);
      if (found?.isPack) numbers.push(found.number);
      if (name.endsWith(newEnding)) unlinkSync(join(this.directory, name));
      if (name.endsWith(goneEnding)) await this.finishDeletion(name);
    }
    for (const number of numbers.sort((a, b) => a - b)) await this.load(number);
    this.dropIndexesWithoutPack(new Set(numbers));
    return this.highest;
  }

  /** Goes on where a crash has interrupted `Packs.delete`, in the same steps. */
  private async finishDeletion(name: string): Promise<void> {
    const number = numberIn(name.slice(0, -goneEnding.length))?.number;
    if (number === undefined) return;
    await syncDirectory(this.directory);
    rmSync(join(this.directory, indexName(number)), { force: true });
    await syncDirectory(this.directory);
    unlinkSync(join(this.directory, name));
    this.context.log.info({ directory: this.directory, name }, "finished the deletion of a pack");
  }

  private async load(number: number): Promise<void> {
    const { index, context } = this;
    const pack = this.add(number);
    this.highest = number;
    const doubles: Doubles = new Map();
    const fd = openSync(pack.path, "r+");
    try {
      const { size, mtimeMs } = fstatSync(fd);
      if (!ensureHeader(fd, packHeader(index.function))) {
        context.log.warn({ pack: pack.path }, "the header of a pack is damaged; its records are served as they verify");
      }
      if (!pack.index.load((block) => this.takeBlock(pack, block, size, doubles))) pack.index.cut();
      const more = size > pack.end ? await this.recoverTail(pack, fd, size, mtimeMs) : 0;
      for (const record of doubles.values()) pack.index.add(record);
      // A double would be the blob, were this lost once that has been removed, with its pack.
      await (doubles.size + more > 0 ? pack.index.commit() : pack.index.write()).catch((error) =>
        context.log.warn({ pack: pack.path, error }, "cannot write the index of a pack now"),
      );
      await pack.index.close();
    } finally {
      closeSync(fd);
    }
    pack.counted = pack.end + pack.index.length + pack.index.waiting * recordBytes(index.function);
    context.space.add(pack.counted);
  }

  /**
   * Takes what one block of an index file lists; false, and nothing of it, where it lists what cannot be in the pack. A record that is there
   * already, at the same place, has been listed twice: see `recoverTail`.
   */
  private takeBlock(pack: Pack, block: IndexBlock, size: number, doubles: Doubles): boolean {
    const { index } = this;
    const fn = index.function;
    const { records, covered } = block;
    if (covered > size || !liesWithin(records, fn, size)) return false;
    const width = recordWords(fn);
    for (let at = 0; at < records.length; at += width) {
      const field = at + fn.words;
      const offset = records[field] as number;
      const blob = records[field + 1] as number;
      const length = entryLength(fn, blob);
      const used = records[field + 3] as number;
      const entry = index.find(records, at);
      if (isPresent(records, at, fn)) {
        if (entry >= 0) {
          if (this.isAt(entry, pack, offset)) continue;
          const words = records.slice(at, field);
          doubles.set(offset, { kind: removed, words, word: 0, offset, size: blob, used });
          continue;
        }
        index.insert(records, at, blob, pack.slot, offset, used);
        pack.live += length;
      } else if (entry >= 0 && this.isAt(entry, pack, offset)) {
        index.remove(entry);
        pack.live -= length;
      } else doubles.delete(offset);
    }
    pack.end = Math.max(pack.end, covered);
    return true;
  }

  /**
   * Finds the records behind what the index file lists, makes them durable, as they may have been on their way, and cuts off the torn
   * end of a write. Some may be listed all the same, where the process was killed between two blocks of the index file: only the last block
   * of a write covers them. They are listed once more, in one that does. They were used until the pack was written last, `mtimeMs`: to say that it
   * was now would count the time since against the lease of others. Returns how many doubles it has found.
   */
  private async recoverTail(pack: Pack, fd: number, size: number, mtimeMs: number): Promise<number> {
    const { index, context } = this;
    const used = Math.min(context.now(), Math.floor(mtimeMs / 1000));
    let [blobs, doubles] = [0, 0];
    const end = scanPack(fd, pack.end, size, index.function, (digests, offset, length) => {
      const record = { words: digests.words, word: 0, offset, size: digests.sizes[0] as number, used };
      const entry = index.find(digests.words, 0);
      if (entry >= 0) {
        const again = this.isAt(entry, pack, offset); // else it is a double, too
        if (!again) doubles++;
        const kind = again ? present : removed;
        pack.index.add({ kind, ...record, ...(again && { used: index.used(entry) }) }, offset + length);
        return;
      }
      index.insert(digests.words, 0, record.size, pack.slot, offset, used);
      pack.index.add({ kind: present, ...record }, offset + length);
      pack.live += length;
      blobs++;
    });
    context.log.info({ pack: pack.path, blobs, cut: size - end }, "found blobs behind the index of a pack");
    if (end < size) ftruncateSync(fd, end);
    pack.end = end;
    await syncData(fd); // what is listed is not verified again, whether or not the store is durable
    return doubles;
  }

  private isAt(entry: number, { slot }: Pack, offset: number): boolean {
    return this.index.place(entry) === slot && this.index.offset(entry) === offset;
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

/** Whether the blobs of a block's records can be in a pack of this size. */
function liesWithin(records: Uint32Array, fn: DigestFunction, size: number): boolean {
  const width = recordWords(fn);
  for (let at = 0; at < records.length; at += width) {
    if (!isPresent(records, at, fn)) continue;
    const offset = records[at + fn.words] as number;
    if (offset < packHeaderLength || offset + entryLength(fn, records[at + fn.words + 1] as number) > size)
      return false;
  }
  return true;
}

/** Whether a pack has its header, which is written where there is nothing: a power cut may come before that of a new pack is on the disk. */
function ensureHeader(fd: number, header: Buffer): boolean {
  const bytes = Buffer.alloc(header.length);
  readSync(fd, bytes, 0, bytes.length, 0);
  if (bytes.equals(header)) return true;
  if (bytes.some((byte) => byte !== 0)) return false;
  writeSync(fd, header, 0, header.length, 0);
  return true;
}
