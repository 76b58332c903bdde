import { StillageError } from "../../base/errors.ts";
import { Slices } from "../../base/slices.ts";
import type { MayGo, Removed } from "../blob-census.ts";
import type { BlobFile, BlobFiles } from "./blob-files.ts";
import { fileRoom, packedRoom } from "./blob-room.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import type { Pack } from "./pack.ts";
import type { Packs } from "./packs.ts";

/** Blobs whose removals are made durable together: their records take some 3 MiB of memory until then. */
const maxBatch = 1 << 16;

/** Files among them: each takes an object, and its name is changed twice. */
const maxBatchFiles = 1 << 12;

/** What was taken out of the index and is to be noted on the disk. */
interface Batch {
  /** Those whose index files are to be synced. */
  readonly packs: Set<Pack>;
  readonly files: BlobFile[];
  blobs: number;
  bytes: number;
}

/** For what is removed however lately it was used. */
export const always: MayGo = () => true;

export interface RemovalParts {
  readonly index: DigestIndex;
  readonly packs: Packs;
  readonly files: BlobFiles;
}

/** Removes blobs of a shelf by the number of their entry, many at once. */
export class BlobRemoval {
  private readonly parts: RemovalParts;
  private readonly context: DiskContext;

  constructor(parts: RemovalParts, context: DiskContext) {
    this.parts = parts;
    this.context = context;
  }

  /**
   * See `BlobCensus.remove`; the first of the numbers at once. For each batch: out of the index in memory; then the records of the removals, with one sync for each index file; then the
   * files go. A crash before a record is durable may bring its blob back, whole; one after it leaves files in `incoming`, which the
   * next start deletes.
   */
  remove(numbers: ArrayLike<number>, mayGo: MayGo): Promise<Removed> {
    const { underWay } = this.context;
    const removing = this.removeInBatches(numbers, mayGo).finally(() => underWay.delete(removing));
    underWay.add(removing);
    return removing;
  }

  private async removeInBatches(numbers: ArrayLike<number>, mayGo: MayGo): Promise<Removed> {
    const { context } = this;
    const slices = new Slices();
    const failures: unknown[] = [];
    let [blobs, bytes, next] = [0, 0, 0];
    while (next < numbers.length && !context.closed) {
      const batch: Batch = { packs: new Set(), files: [], blobs: 0, bytes: 0 };
      next = await this.forget(numbers, next, mayGo, batch, slices);
      await this.note(batch).catch((error: unknown) => failures.push(error));
      blobs += batch.blobs;
      bytes += batch.bytes;
    }
    if (failures.length > 0) throw failures[0];
    if (next < numbers.length) throw new StillageError("unavailable", "the store is being closed");
    return { blobs, bytes };
  }

  /** Takes blobs from number `first` of the list on out of the index until the batch is full, and returns where the rest of the list begins. */
  private async forget(
    numbers: ArrayLike<number>,
    first: number,
    mayGo: MayGo,
    batch: Batch,
    slices: Slices,
  ): Promise<number> {
    const { index } = this.parts;
    let counted = 0;
    // Whoever remembers what was complete has to hear of it before anybody else has a turn.
    const count = (): void => {
      if (batch.blobs > counted) this.context.removals++;
      counted = batch.blobs;
    };
    let next = first;
    while (next < numbers.length && batch.blobs < maxBatch && batch.files.length < maxBatchFiles) {
      if (next > first && slices.over) {
        count();
        await slices.rest();
        if (this.context.closed) break;
      }
      const entry = numbers[next++] as number;
      if (index.has(entry) && mayGo(index.used(entry))) this.take(entry, batch);
    }
    count();
    return next;
  }

  private take(entry: number, batch: Batch): void {
    const { index, packs } = this.parts;
    const { function: fn } = index;
    const place = index.place(entry);
    const offset = index.offset(entry);
    const size = index.size(entry);
    batch.blobs++;
    if (place === inFile) {
      batch.bytes += fileRoom(fn, size);
      batch.files.push({ digest: index.digest(entry), serial: offset });
    } else {
      batch.bytes += packedRoom(fn, size);
      const pack = packs.at(place);
      const { chunk, at } = index.locate(entry);
      if (packs.noteRemoval(pack, chunk, at, offset, size)) batch.packs.add(pack);
    }
    index.remove(entry);
  }

  private async note({ packs, files }: Batch): Promise<void> {
    const done = await Promise.allSettled([
      packs.size === 0 ? undefined : this.parts.packs.commit(packs),
      files.length === 0 ? undefined : this.parts.files.remove(files),
    ]);
    this.context.faults.reach("blobs removed");
    for (const each of done) if (each.status === "rejected") throw each.reason;
  }
}
