import { rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { inParallel } from "../../base/in-parallel.ts";
import { entryLength } from "../batch-entry.ts";
import { recordBytes } from "./blob-room.ts";
import type { DigestIndex } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile, openFile, syncDirectory, writeAll } from "./file-io.ts";
import { removed } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";
import { goneEnding, indexName, Pack, packHeader, packHeaderLength, type Unlisted } from "./pack.ts";
import { PackRecovery } from "./pack-recovery.ts";

/** Index files that are synced at the same time; the rest of the thread pool is for others. */
const syncsAtATime = 2;

/** The packs of one function: found at start, and made as they are needed. */
export class Packs {
  /** By their place in the index; a place that is free has none. */
  private readonly bySlot: (Pack | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  /** Those that have lost their place and whose room counts still: they are being read, or `finishDeletion` has failed. */
  private readonly leaving = new Set<Pack>();
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

  /** All that there are. */
  *all(): Generator<Pack, void> {
    for (const pack of this.bySlot) if (pack !== undefined) yield pack;
  }

  /** Bytes of packs that are deleted, as long as they count. */
  get leavingBytes(): number {
    let bytes = 0;
    for (const pack of this.leaving) bytes += pack.counted;
    return bytes;
  }

  /** Those whose deletion has begun and failed. */
  halfDeleted(): Pack[] {
    return [...this.leaving].filter((pack) => !pack.deleted);
  }

  /** The one with the highest number. */
  get newest(): Pack | undefined {
    let newest: Pack | undefined;
    for (const pack of this.all()) if (newest === undefined || pack.number > newest.number) newest = pack;
    return newest;
  }

  /** Finds what there is. */
  async load(): Promise<void> {
    const { directory, index, context } = this;
    const recovery = new PackRecovery(directory, index, context, (number) => this.add(number));
    this.highest = await recovery.run();
  }

  /**
   * Begins a pack and returns it. A crash leaves a pack without records, with or without its header
   * and its name; nothing in it has been acknowledged, and `load` takes it as it is.
   */
  async create(): Promise<Pack> {
    const { context, directory } = this;
    await context.directories.ensure(directory);
    const pack = this.newPack(++this.highest);
    try {
      const fd = await openFile(pack.path, "wx");
      try {
        await writeAll(fd, packHeader(this.index.function), 0);
      } finally {
        await closeFile(fd);
      }
      await syncDirectory(directory);
      context.faults.reach("pack created");
    } catch (error) {
      this.freeSlots.push(pack.slot);
      await unlink(pack.path).catch(() => {}); // else it is an empty pack at the next start
      throw error;
    }
    this.bySlot[pack.slot] = pack;
    this.count(pack, packHeaderLength);
    return pack;
  }

  /** Counts bytes that a pack or its index file takes on the disk, or has to take. */
  count(pack: Pack, bytes: number): void {
    pack.counted += bytes;
    this.context.space.add(bytes);
  }

  /**
   * The newest pack, where it takes more. Its name is on the disk then: a process that was killed may have begun it and not come to that.
   */
  async reopen(): Promise<Pack | undefined> {
    const { newest } = this;
    if (!newest?.appendable || newest.end >= this.context.packBytes) return undefined;
    await syncDirectory(this.directory);
    return newest;
  }

  /**
   * Deletes a pack to which the index leads nobody, and which is not appended to, in this order: its name is changed; its index file goes; it goes
   * itself. A crash after the first step leaves a name for which the next start takes the other steps; so a pack is never found
   * without its index file, whose removals would be undone then, nor that without its pack. Each step is on the disk before the next, as a power cut may keep
   * any of them. Whoever reads it goes on; its room counts until the last has left. Where one of the steps after the first fails, the pack is `halfDeleted`.
   */
  async delete(pack: Pack): Promise<void> {
    const { context } = this;
    await context.openPacks.untilFree(pack);
    if (!context.durable) await syncDirectory(this.directory); // the packs that have the copies may not have their names there yet
    await rename(pack.path, pack.path + goneEnding);
    this.bySlot[pack.slot] = undefined;
    this.leaving.add(pack);
    context.faults.reach("pack renamed");
    await this.finishDeletion(pack);
  }

  /** The steps of `delete` after the first; those that were done before are done once more. */
  async finishDeletion(pack: Pack): Promise<void> {
    const { context } = this;
    await syncDirectory(this.directory);
    await pack.index.discard();
    await syncDirectory(this.directory);
    await unlink(pack.path + goneEnding).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    pack.deleted = true;
    this.freeSlots.push(pack.slot);
    const dropped = context.openPacks
      .drop(pack)
      .catch((error) => context.log.warn({ pack: pack.path, error }, "cannot close a pack that is deleted"))
      .finally(() => {
        this.leaving.delete(pack);
        context.space.giveBack(pack.counted);
      });
    if (pack.reading.users === 0) await dropped;
    context.faults.reach("pack deleted");
  }

  /**
   * Notes that a blob, which the index has no more, is removed from a pack; `commit` makes that durable, and a crash before may bring the
   * blob back. Its bytes stay where they are, dead. The hash begins at `words[word]`. False where there is nothing to commit.
   */
  noteRemoval(pack: Pack, words: Uint32Array, word: number, offset: number, size: number): boolean {
    const fn = this.index.function;
    pack.live -= entryLength(fn, size);
    this.count(pack, recordBytes(fn));
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

  /** Writes the index of the pack at a place anew, with the last use of its blobs. */
  async saveUse(slot: number): Promise<void> {
    const pack = this.bySlot[slot];
    if (pack === undefined) return;
    const { words } = this.index.function;
    await pack.index.rewrite((records, at) => this.index.usedAt(records, at, pack.slot, records[at + words] as number));
    const waiting = (pack.index.waiting + pack.unlisted.length) * recordBytes(this.index.function);
    this.count(pack, pack.end + pack.index.length + waiting - pack.counted);
  }

  /** A pack with a slot of its own, which does not lead to it yet. */
  private newPack(number: number): Pack {
    const { directory, index, context } = this;
    const log = new IndexLog(join(directory, indexName(number)), index.function, context.faults);
    const slot = this.freeSlots.pop() ?? this.bySlot.push(undefined) - 1;
    return new Pack(directory, number, slot, log);
  }

  private add(number: number): Pack {
    const pack = this.newPack(number);
    this.bySlot[pack.slot] = pack;
    return pack;
  }
}
