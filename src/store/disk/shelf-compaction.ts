import { DigestList } from "../../base/digest-list.ts";
import { hashOf } from "../../base/hash.ts";
import { Slices } from "../../base/slices.ts";
import { entryLength, headLength, headMatches } from "../batch-entry.ts";
import { packedRoom } from "./blob-room.ts";
import type { DigestIndex } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { readFully } from "./file-io.ts";
import { type Pack, packHeaderLength } from "./pack.ts";
import type { Origin } from "./pack-group.ts";
import type { PackWriter } from "./pack-writer.ts";
import type { Packs } from "./packs.ts";

/** Entries of the index that are looked at in one go: a part of a millisecond. */
const entriesAtOnce = 1 << 13;

/** Records are taken from a pack by windows of this many bytes, in the order in which they lie there. */
const windowBits = 20;
const windowBytes = 1 << windowBits;

/** What lies between two records is read along with them up to this: one read costs as much as that. */
const gapBytes = 64 << 10;

/** Records that are taken from a window in one go: in a millisecond, about. */
const recordsAtOnce = 512;

/** What is copied together, at least, but for the last: it waits for one sync; and at most these records more than that, which are published in one go. */
const stepBytes = 2 << 20;
const stepRecords = 1024;

/** What compaction needs of a shelf. */
export interface ShelfParts {
  readonly index: DigestIndex;
  readonly packs: Packs;
  readonly writer: PackWriter;
  /** Drops a blob that turned out to be broken. */
  discard(digests: DigestList, i: number, pack: Pack | undefined, offset: number): void;
}

/**
 * The dead bytes that may stay, as a part of what is used. Fewer would cost too much: to give back a byte of packs of which a tenth is dead, nine
 * are copied, and each tenth less doubles that. It is the part of a pack, too, from which on it is worth copying; so there is always
 * one where there is too much.
 */
const deadShare = 1 / 10;

/** Of the dead bytes in packs, those that compaction gives back, where all blobs and what is left of removed ones take `taken`. */
export function reclaimable(dead: number, taken: number): number {
  return Math.max(0, dead - taken * deadShare);
}

export function isWorthCopying({ dead, live }: Pack): boolean {
  return dead > 0 && dead >= (dead + live) * deadShare;
}

/** Above every number of an entry; with an offset in a window beside it, what fits into a number. */
const entryFactor = 2 ** 32;

/** Live records that lie close to one another, from `from` to `to` in a pack. */
interface Run {
  readonly from: number;
  to: number;
  readonly digests: DigestList;
  readonly offsets: number[];
}

/** Records that are copied together. */
interface Step {
  readonly digests: DigestList;
  readonly bodies: Uint8Array[];
  readonly origins: Origin[];
  readonly buffers: Buffer<ArrayBuffer>[];
  bytes: number;
}

/** Awaited after each step of copying, with the milliseconds that it took; false ends it. */
export type Rest = (worked: number) => Promise<boolean>;

/** What was done. */
export interface Compacted {
  /** Packs that were deleted. */
  readonly packs: number;
  /** Live bytes that were copied. */
  readonly copied: number;
  /** Bytes that are free now, less what the copies take. */
  readonly freed: number;
}

/** Gives the room of dead records back, pack by pack of one shelf. */
export class ShelfCompaction implements Compacted {
  packs = 0;
  copied = 0;
  freed = 0;
  private readonly parts: ShelfParts;
  private readonly context: DiskContext;
  private readonly slices = new Slices();

  constructor(parts: ShelfParts, context: DiskContext) {
    this.parts = parts;
    this.context = context;
  }

  /** The packs that there are. */
  all(): Iterable<Pack> {
    return this.parts.packs.all();
  }

  /** Deletes the packs without live records, and goes on with what an error has interrupted. */
  async deleteDead(): Promise<void> {
    const { packs, writer } = this.parts;
    for (const pack of packs.halfDeleted()) {
      try {
        await packs.finishDeletion(pack);
        this.count(pack);
      } catch (error) {
        this.context.log.warn({ pack: pack.path, error }, "cannot delete a pack now");
      }
    }
    const dead = new Map<number, Pack>();
    for (const pack of [...packs.all()]) {
      if (pack.live > 0 || pack.end === packHeaderLength) continue;
      await writer.leave(pack);
      if (pack.live === 0) dead.set(pack.slot, pack); // else something was on its way into it
    }
    if (dead.size > 0) await this.delete(dead);
  }

  /**
   * Copies what is live in a pack to the one that is written, and deletes it. Copies are durable before the index leads to them, and it leads
   * nowhere else before the pack goes: a crash leaves both, of which the next start takes the old one, and counts the copies as dead. What is removed
   * while it is being copied, a crash may bring back. Where the old pack stays, with what was not copied yet, its index file is written anew without what was:
   * of that, only the copy's would say that it is removed. Errors: those of the file system; the old pack stays then.
   */
  async compact(pack: Pack, rest: Rest): Promise<void> {
    for (const each of this.all()) if (each === pack || isWorthCopying(each)) await this.parts.writer.leave(each); // or copies may go there
    try {
      if (!(await this.copyLive(pack, rest))) return;
      this.context.faults.reach("pack copied");
      await this.delete(new Map([[pack.slot, pack]]));
    } finally {
      await this.relist(pack);
    }
  }

  /** Copies what is live in a pack; false where `rest` has ended that. */
  private async copyLive(pack: Pack, rest: Rest): Promise<boolean> {
    const windows = await this.windowsOf(pack);
    let step = this.newStep();
    let began = performance.now();
    const write = async (): Promise<boolean> => {
      await this.write(step);
      const goesOn = await rest(performance.now() - began);
      step = this.newStep();
      began = performance.now();
      return goesOn;
    };
    try {
      for (const [w, keys] of windows.entries()) {
        const sorted = Float64Array.from(keys).sort();
        for (let from = 0; from < sorted.length; from += recordsAtOnce) {
          await this.read(pack, w, sorted.subarray(from, from + recordsAtOnce), step);
          if ((step.bytes >= stepBytes || step.bodies.length >= stepRecords) && !(await write())) return false;
        }
      }
      return await write();
    } finally {
      this.letGo(step);
    }
  }

  /** Writes the index file of a pack anew, if that is still there. */
  private async relist(pack: Pack): Promise<void> {
    const { packs } = this.parts;
    if (packs.at(pack.slot) !== pack) return;
    await packs.saveUse(pack.slot).catch((error) => {
      this.context.log.warn({ pack: pack.path, error }, "cannot write the index of a pack now");
    });
  }

  /** The entries of a pack's live records by window, each as its offset in there times `entryFactor` and the entry. */
  private async windowsOf(pack: Pack): Promise<number[][]> {
    const { index } = this.parts;
    const windows: number[][] = Array.from({ length: (pack.end >>> windowBits) + 1 }, () => []);
    await this.eachPacked((entry, slot) => {
      if (slot !== pack.slot) return;
      const offset = index.offset(entry);
      windows[offset >>> windowBits]?.push((offset & (windowBytes - 1)) * entryFactor + entry);
    });
    return windows;
  }

  /** Reads those of the records of one window that are still live, verifies them, and adds them to the step. */
  private async read(pack: Pack, window: number, keys: Float64Array, step: Step): Promise<void> {
    for (const run of this.runsOf(pack, window, keys)) {
      const buffer = this.context.readBuffers.take(run.to - run.from);
      step.buffers.push(buffer);
      const count = await this.readRun(pack, run, buffer);
      for (const [i, offset] of run.offsets.entries()) {
        if (this.slices.over) await this.slices.rest();
        this.check(pack, run.digests, i, offset, buffer.subarray(offset - run.from, count), step);
      }
    }
  }

  private runsOf(pack: Pack, window: number, keys: Float64Array): Run[] {
    const { index } = this.parts;
    const runs: Run[] = [];
    let run: Run | undefined;
    for (const key of keys) {
      const entry = key % entryFactor;
      const offset = window * windowBytes + Math.floor(key / entryFactor);
      if (!index.has(entry) || index.place(entry) !== pack.slot || index.offset(entry) !== offset) continue;
      const digest = index.digest(entry);
      if (run === undefined || offset - run.to > gapBytes) {
        run = { from: offset, to: offset, digests: new DigestList(index.function), offsets: [] };
        runs.push(run);
      }
      run.to = offset + entryLength(index.function, digest.size);
      run.digests.push(digest);
      run.offsets.push(offset);
    }
    return runs;
  }

  private async readRun(pack: Pack, { from, to }: Run, buffer: Uint8Array): Promise<number> {
    const { openPacks } = this.context;
    try {
      const fd = openPacks.acquire(pack);
      return await readFully(fd, buffer.subarray(0, to - from), from).finally(() => openPacks.release(pack));
    } catch (error) {
      pack.unreadable = true;
      throw error;
    }
  }

  /** Adds record `i` of a run to the step, where the bytes, which begin with it, are what they should be; else the blob is dropped. */
  private check(
    pack: Pack,
    digests: DigestList,
    i: number,
    offset: number,
    bytes: Buffer<ArrayBuffer>,
    step: Step,
  ): void {
    const { function: fn, words } = digests;
    const { hash, size } = digests.at(i);
    const head = headLength(fn, size);
    const body = bytes.subarray(head, head + size);
    const isWhole = headMatches(bytes, 0, fn, words, i * fn.words, size) && hashOf(fn, body) === hash;
    if (!isWhole) {
      this.parts.discard(digests, i, pack, offset);
      return;
    }
    step.digests.append(digests, i);
    step.bodies.push(body);
    step.origins.push({ pack, offset });
    step.bytes += size;
  }

  private async write(step: Step): Promise<void> {
    if (step.bodies.length === 0) return this.letGo(step);
    await this.parts.writer.copy(step.digests, step.bodies, step.origins);
    this.letGo(step);
    this.copied += step.bytes;
    for (const { length } of step.bodies) this.freed -= packedRoom(step.digests.function, length);
    this.context.faults.reach("copy switched");
  }

  private newStep(): Step {
    return { digests: new DigestList(this.parts.index.function), bodies: [], origins: [], buffers: [], bytes: 0 };
  }

  private letGo({ buffers }: Step): void {
    for (const buffer of buffers.splice(0)) this.context.readBuffers.give(buffer);
  }

  /** Deletes those of the packs to which the index leads nobody. */
  private async delete(packs: Map<number, Pack>): Promise<void> {
    const used = new Set<Pack>();
    await this.eachPacked((_, slot) => {
      const pack = packs.get(slot);
      if (pack !== undefined) used.add(pack);
    });
    for (const pack of packs.values()) {
      if (used.has(pack)) {
        this.context.log.warn({ pack: pack.path }, "a pack still has blobs, and stays");
        continue;
      }
      await this.parts.packs.delete(pack);
      this.count(pack);
    }
  }

  private count({ counted }: Pack): void {
    this.packs++;
    this.freed += counted;
  }

  private async eachPacked(take: (entry: number, slot: number) => void): Promise<void> {
    const { index } = this.parts;
    for (let entry = 0; entry < index.top; entry += entriesAtOnce) {
      if (this.slices.over) await this.slices.rest();
      index.eachPacked(entry, Math.min(entry + entriesAtOnce, index.top), take);
    }
  }
}
