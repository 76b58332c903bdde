import { fstatSync, readSync } from "node:fs";
import { join } from "node:path";
import { closeAll } from "../../base/close-all.ts";
import { type Digest, isEmptyBlob, showDigest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { headLength, headMatches } from "../batch-entry.ts";
import type { StagedBlob } from "../blob-staging.ts";
import type { BatchRead, Blob, BlobBatch, TenantUsage, Upload } from "../blob-store.ts";
import { type GatheredEnd, GatheredUpload } from "../gathered-upload.ts";
import { putByUpload } from "../put-by-upload.ts";
import { verifyBlob } from "../verify-blob.ts";
import { Arrivals } from "./arrivals.ts";
import { type BatchLoan, BatchReader } from "./batch-reader.ts";
import { BatchWriter } from "./batch-writer.ts";
import { type ArrivingFile, BlobFiles, type NewFile } from "./blob-files.ts";
import { always, BlobRemoval } from "./blob-removal.ts";
import { packedRoom } from "./blob-room.ts";
import { DigestIndex, inFile } from "./digest-index.ts";
import { DiskBlob } from "./disk-blob.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile, readFully } from "./file-io.ts";
import { FileUpload, type UploadEnd } from "./file-upload.ts";
import { maxPackedSize, mayBePacked, type Pack } from "./pack.ts";
import { PackWriter, type Promised } from "./pack-writer.ts";
import { Packs } from "./packs.ts";
import type { Sharing } from "./shared-bytes.ts";
import { ShelfCensus } from "./shelf-census.ts";
import { ShelfCompaction } from "./shelf-compaction.ts";
import { StagedUpload } from "./staged-upload.ts";

/** What uploads of small blobs may hold in memory, all together; beyond that they are written to files as they come. */
const maxGatheredBytes = 16 << 20;

/** An upload whose bytes are the caller's to bring: to gather, or to write to the file. */
export type BegunUpload =
  | { readonly file: undefined; readonly end: GatheredEnd }
  | { readonly file: NewFile; readonly end: UploadEnd };

/** The blobs of one tenant and one function: small ones in packs, large ones in files, and one index over both. */
export class Shelf {
  private readonly function: DigestFunction;
  private readonly context: DiskContext;
  readonly index: DigestIndex;
  readonly packs: Packs;
  readonly files: BlobFiles;
  readonly writer: PackWriter;
  private readonly reader: BatchReader;
  private readonly removal: BlobRemoval;
  readonly arrivals: Arrivals;
  private readonly batches: BatchWriter;

  /** `directory` is the shelf's own; it need not be there yet. */
  constructor(directory: string, fn: DigestFunction, context: DiskContext) {
    this.function = fn;
    this.context = context;
    this.index = new DigestIndex(fn, context.seeds, context.noteResolution);
    this.packs = new Packs(join(directory, "packs"), this.index, context);
    this.files = new BlobFiles(directory, this.index, context);
    this.writer = new PackWriter(this.packs, this.index, context);
    this.arrivals = new Arrivals(fn, context.seeds);
    this.batches = new BatchWriter(this, context.now);
    this.removal = new BlobRemoval(this, context);
    this.reader = new BatchReader(this, context, (...broken) => this.discard(...broken));
  }

  async load(): Promise<void> {
    await this.packs.load();
    await this.files.load();
  }

  usage(): TenantUsage {
    let [live, dead] = [this.files.bytes, this.packs.leavingBytes];
    for (const pack of this.packs.all()) {
      dead += pack.dead;
      live += pack.counted - pack.dead;
    }
    return { blobs: this.index.count, live, dead };
  }

  /** `quiet`, here and below: not a use of the blobs. */
  missing(digests: DigestList, quiet = false): number[] {
    const { index } = this;
    const { words, sizes } = digests;
    const used = this.context.now();
    const absent: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const size = sizes[i] as number;
      if (size === 0 && this.function.emptyHash !== undefined) continue;
      const entry = index.findSized(words, i * this.function.words, size);
      if (entry < 0) absent.push(i);
      else if (!quiet) index.touch(entry, used);
    }
    return absent;
  }

  sizeOf(hash: string): number | undefined {
    if (hash === this.function.emptyHash) return 0;
    const entry = this.index.find(DigestList.of({ function: this.function, hash, size: 1 }).words, 0);
    return entry < 0 ? undefined : this.index.size(entry);
  }

  /** See BlobReader. */
  sizesOf(hashes: DigestList, quiet = false): Float64Array {
    const { index } = this;
    const used = this.context.now();
    const sizes = new Float64Array(hashes.length);
    for (let i = 0; i < hashes.length; i++) {
      const entry = index.find(hashes.words, i * this.function.words);
      sizes[i] = entry < 0 ? -1 : index.size(entry);
      if (entry >= 0 && !quiet) index.touch(entry, used);
    }
    return sizes;
  }

  open(digest: Digest, quiet = false): MaybePromise<Blob | undefined> {
    if (isEmptyBlob(digest)) return emptyBlob(digest);
    const digests = DigestList.of(digest);
    const entry = this.index.findSized(digests.words, 0, digest.size);
    if (entry < 0) return undefined;
    if (!quiet) this.index.touch(entry, this.context.now());
    const place = this.index.place(entry);
    const offset = this.index.offset(entry);
    return place === inFile ? this.openFile(digests, offset) : this.openPacked(digests, this.packs.at(place), offset);
  }

  /** See BatchReader. */
  lendBatch(digests: DigestList): BatchLoan {
    return this.reader.lend(digests);
  }

  /** `digests` must stay as they are until this settles. */
  readBatch(digests: DigestList, quiet = false): MaybePromise<BatchRead> {
    return this.reader.read(digests, quiet);
  }

  async put(digest: Digest, bytes: Uint8Array, promised?: Promised): Promise<void> {
    if (!mayBePacked(digest, bytes)) return this.putInFile(digest, bytes);
    verifyBlob(digest, bytes);
    await this.putVerified(digest, bytes, promised);
  }

  /** Stores a small blob (at most `maxPackedSize`) whose bytes are known to be the digest's. */
  async putVerified(digest: Digest, bytes: Uint8Array, promised?: Promised): Promise<void> {
    if (!mayBePacked(digest, bytes)) return this.putInFile(digest, bytes);
    if (bytes.length > 0) await this.once(digest, () => this.writer.put(digest, bytes, promised));
  }

  /** See BlobStore. */
  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    return this.batches.put(batch);
  }

  private putInFile(digest: Digest, bytes: Uint8Array): Promise<void> {
    const upload = async (each: Digest): Promise<Upload> => {
      const { file, end } = await this.beginFile(each);
      return new FileUpload(each, file.pieces, end);
    };
    return putByUpload({ upload }, digest, bytes);
  }

  /** See DiskTenant. */
  async share(digest: Digest, source: string, sharing: Sharing): Promise<boolean> {
    const file = await this.files.share(digest, source, sharing);
    if (file !== undefined) await this.publishFile(file);
    return file !== undefined;
  }

  async upload(digest: Digest): Promise<Upload> {
    const { file, end } = await this.begin(digest);
    return file === undefined ? new GatheredUpload(digest, end) : new FileUpload(digest, file.pieces, end);
  }

  /** Begins an upload whose bytes the caller gathers, or writes to a file. Reserves its size: `exhausted` where it does not fit. */
  async begin(digest: Digest): Promise<BegunUpload> {
    const { context } = this;
    const { size } = digest;
    if (size > maxPackedSize || context.gathered + size > maxGatheredBytes) return this.beginFile(digest);
    const promised = { room: size === 0 ? 0 : packedRoom(digest.function, size) };
    context.gathered += size;
    try {
      const waiting = context.space.take(promised.room);
      if (waiting !== undefined) await waiting;
    } catch (error) {
      context.gathered -= size;
      throw error;
    }
    const drop = (): void => {
      context.space.giveBack(promised.room);
      context.gathered -= size;
    };
    const end: GatheredEnd = {
      store: (bytes, verified = false) => {
        const storing = verified ? this.putVerified(digest, bytes, promised) : this.put(digest, bytes, promised);
        return storing.finally(drop);
      },
      drop,
    };
    return { file: undefined, end };
  }

  private async beginFile(digest: Digest): Promise<Extract<BegunUpload, { file: NewFile }>> {
    const file = await this.files.create(digest);
    return { file, end: { publish: () => this.publishFile(file), drop: () => this.files.drop(file) } };
  }

  stage(): StagedBlob {
    const { context, files } = this;
    return new StagedUpload(this.function, maxPackedSize, {
      hold: (bytes) => {
        if (context.gathered + bytes > maxGatheredBytes) return false;
        context.gathered += bytes;
        return true;
      },
      release: (bytes) => {
        context.gathered -= bytes;
      },
      openFile: () => files.stage(),
      put: (digest, bytes) => this.put(digest, bytes),
      publish: async (staged, digest) => {
        try {
          await this.publishFile(await files.name(staged, digest));
        } finally {
          await staged.drop();
        }
      },
    });
  }

  /** Removes a blob; resolves once that is durable. Nothing happens where there is none. */
  async remove(digest: Digest): Promise<void> {
    const { words } = DigestList.of(digest);
    const entry = this.index.findSized(words, 0, digest.size);
    if (entry >= 0) await this.removal.remove([entry], always);
  }

  /** What gives the room of dead records back. */
  compaction(): ShelfCompaction {
    return new ShelfCompaction(this, this.context);
  }

  /** What there is, by number; the caller releases it. */
  census(): ShelfCensus {
    return new ShelfCensus(this.index, this.removal);
  }

  /** Removes a blob that turned out broken, if it still lies at just that place; resolves once that is durable, to whether it did. */
  async drop(digest: Digest, place: number, offset: number): Promise<boolean> {
    const entry = this.index.findSized(DigestList.of(digest).words, 0, digest.size);
    if (entry < 0 || this.index.place(entry) !== place || this.index.offset(entry) !== offset) return false;
    await this.removal.remove([entry], always);
    return true;
  }

  /** Writes down when blobs were last used, where that has changed. Where it fails, which the log tells, the next call tries again. */
  async saveUse(): Promise<void> {
    const { touched } = this.index;
    for (const place of [...touched]) {
      touched.delete(place); // before, as what is used meanwhile is for the next time
      try {
        await (place === inFile ? this.files.saveUse() : this.packs.saveUse(place));
      } catch (error) {
        touched.add(place);
        const pack = place === inFile ? undefined : this.packs.at(place)?.path; // it may be gone
        this.context.log.warn({ error, pack }, "cannot write down when blobs were last used");
      }
    }
  }

  async close(): Promise<void> {
    await closeAll([() => this.writer.close(), () => this.files.close()]);
  }

  /** Makes a blob of a file that is complete, unless there is one: then the file is dropped. */
  private async publishFile(file: ArrivingFile): Promise<void> {
    let published = false;
    const publish = async (): Promise<void> => {
      await this.files.publish(file);
      published = true;
    };
    try {
      await this.once(file.digest, publish);
    } finally {
      if (!published) await this.files.drop(file);
    }
  }

  /** Stores a blob unless it is there; whoever comes with one that is being stored waits for that. */
  private once(digest: Digest, store: () => Promise<void>): Promise<void> {
    const { index, arrivals } = this;
    const { words } = DigestList.of(digest);
    const entry = index.find(words, 0);
    if (entry >= 0) {
      index.touch(entry, this.context.now());
      return Promise.resolve();
    }
    const before = arrivals.outcome(words, 0);
    if (before !== undefined) return before;
    const storing = store().finally(() => {
      arrivals.remove(words, 0);
      arrivals.end(party);
    });
    const party = arrivals.begin(storing);
    arrivals.add(words, 0, 0, party);
    return storing;
  }

  private async openFile(digests: DigestList, serial: number): Promise<Blob | undefined> {
    const digest = digests.at(0);
    const fd = await this.files.open({ digest, serial });
    if (fd !== undefined && fstatSync(fd).size === digest.size) {
      return new DiskBlob(digest, { fd, start: 0 }, this.context.pace, () => void closeFile(fd).catch(() => {}));
    }
    if (fd !== undefined) await closeFile(fd);
    this.discard(digests, 0, undefined, serial);
    return undefined;
  }

  private openPacked(digests: DigestList, pack: Pack, offset: number): MaybePromise<Blob | undefined> {
    const { openPacks, pace } = this.context;
    const size = digests.sizes[0] as number;
    const head = Buffer.allocUnsafe(headLength(this.function, size));
    const fd = openPacks.acquire(pack);
    const opened = (): Blob | undefined => {
      if (headMatches(head, 0, this.function, digests.words, 0, size)) {
        const at = { fd, start: offset + head.length };
        return new DiskBlob(digests.at(0), at, pace, () => openPacks.release(pack));
      }
      openPacks.release(pack);
      this.discard(digests, 0, pack, offset);
      return undefined;
    };
    const failed = (error: unknown): never => {
      openPacks.release(pack);
      throw fromFileSystem(error, `cannot read ${showDigest(digests.at(0))}`);
    };
    if (!pace.atOnce) return readFully(fd, head, offset).then(opened, failed);
    try {
      pace.measure(() => readSync(fd, head, 0, head.length, offset));
    } catch (error) {
      return failed(error);
    }
    return opened();
  }

  /** Drops a blob that is not where the index says, or not what it says: it is missing from now on, and clients bring it again. */
  discard(digests: DigestList, i: number, pack: Pack | undefined, offset: number): void {
    const digest = digests.at(i);
    const entry = this.index.findSized(digests.words, i * this.function.words, digest.size);
    if (entry < 0 || this.packs.at(this.index.place(entry)) !== pack || this.index.offset(entry) !== offset) return;
    const { log } = this.context;
    log.error({ blob: showDigest(digest), pack: pack?.path, offset }, "a blob is broken on disk and is dropped");
    this.removal.remove([entry], always).catch((error) => log.error({ error }, "cannot note that a blob is dropped"));
  }
}

function emptyBlob(digest: Digest): Blob {
  return { digest, read: () => {}, close: () => {} };
}
