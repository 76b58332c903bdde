import { existsSync } from "node:fs";
import { join } from "node:path";
import { closeAll } from "../../base/close-all.ts";
import type { Digest } from "../../base/digest.ts";
import { type DigestFunction, storedFunctions } from "../../base/digest-function.ts";
import type { DigestList } from "../../base/digest-list.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { BlobStaging, StagedBlob } from "../blob-staging.ts";
import type { BatchRead, Blob, BlobBatch, BlobReader, BlobStore, TenantUsage, Upload } from "../blob-store.ts";
import type { BatchLoan } from "./batch-reader.ts";
import type { DiskContext } from "./disk-context.ts";
import type { Sharing } from "./shared-bytes.ts";
import { type BegunUpload, Shelf } from "./shelf.ts";
import type { ShelfCensus } from "./shelf-census.ts";
import type { ShelfCompaction } from "./shelf-compaction.ts";

/** Reads as the tenant does, but so that it is no use of the blobs. */
class QuietReader implements BlobReader {
  private readonly shelf: (fn: DigestFunction) => Shelf;

  constructor(shelf: (fn: DigestFunction) => Shelf) {
    this.shelf = shelf;
  }

  missing(digests: DigestList): number[] {
    return this.shelf(digests.function).missing(digests, true);
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    return this.shelf(fn).sizeOf(hash);
  }

  sizesOf(hashes: DigestList): Float64Array {
    return this.shelf(hashes.function).sizesOf(hashes, true);
  }

  open(digest: Digest): MaybePromise<Blob | undefined> {
    return this.shelf(digest.function).open(digest, true);
  }

  readBatch(digests: DigestList): MaybePromise<BatchRead> {
    return this.shelf(digests.function).readBatch(digests, true);
  }
}

/** The blobs of one tenant: a directory of its own, with a shelf for each function in use. */
export class DiskTenant implements BlobStore, BlobStaging {
  private readonly directory: string;
  private readonly context: DiskContext;
  private readonly shelves = new Map<DigestFunction, Shelf>();
  /** Reads without counting as use. */
  readonly quiet: BlobReader = new QuietReader((fn) => this.shelf(fn));

  constructor(directory: string, context: DiskContext) {
    this.directory = directory;
    this.context = context;
  }

  /** Opens what the directory holds. */
  async load(): Promise<void> {
    for (const fn of storedFunctions) if (existsSync(join(this.directory, fn.name))) await this.shelf(fn).load();
  }

  missing(digests: DigestList): number[] {
    return this.shelf(digests.function).missing(digests);
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    return this.shelf(fn).sizeOf(hash);
  }

  sizesOf(hashes: DigestList): Float64Array {
    return this.shelf(hashes.function).sizesOf(hashes);
  }

  open(digest: Digest): MaybePromise<Blob | undefined> {
    return this.shelf(digest.function).open(digest);
  }

  readBatch(digests: DigestList): MaybePromise<BatchRead> {
    return this.shelf(digests.function).readBatch(digests);
  }

  put(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.shelf(digest.function).put(digest, bytes);
  }

  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    return this.shelf(batch.digests.function).putBatch(batch);
  }

  /** As `put`, for a small blob whose bytes are known to be the digest's. */
  putVerified(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.shelf(digest.function).putVerified(digest, bytes);
  }

  /** As `upload`, for a caller who gathers or writes the bytes. */
  begin(digest: Digest): Promise<BegunUpload> {
    return this.shelf(digest.function).begin(digest);
  }

  /** As `readBatch`, for a caller who reads. */
  lendBatch(digests: DigestList): BatchLoan {
    return this.shelf(digests.function).lendBatch(digests);
  }

  upload(digest: Digest): Promise<Upload> {
    return this.shelf(digest.function).upload(digest);
  }

  /**
   * Stores a large blob (over `maxPackedSize`) whose bytes are a file elsewhere, without a copy of them. False, with nothing done, where the file
   * system cannot. Resolves once it is verified and durable. Errors: `invalid` where the bytes are not the digest's, `exhausted`.
   */
  share(digest: Digest, source: string, sharing: Sharing): Promise<boolean> {
    return this.shelf(digest.function).share(digest, source, sharing);
  }

  async stage(fn: DigestFunction): Promise<StagedBlob> {
    return this.shelf(fn).stage();
  }

  /** Removes a blob; resolves once that is durable. Nothing happens where there is none. */
  remove(digest: Digest): Promise<void> {
    return this.shelf(digest.function).remove(digest);
  }

  /** The shelves that there are now, with their directories. */
  *opened(): Iterable<{ readonly directory: string; readonly shelf: Shelf }> {
    for (const [fn, shelf] of this.shelves) yield { directory: join(this.directory, fn.name), shelf };
  }

  /** What there is, by number; the caller releases each. */
  census(): ShelfCensus[] {
    return [...this.shelves.values()].map((shelf) => shelf.census());
  }

  /** What gives the room of dead records back. */
  compactions(): ShelfCompaction[] {
    return [...this.shelves.values()].map((shelf) => shelf.compaction());
  }

  usage(): TenantUsage {
    let [blobs, live, dead] = [0, 0, 0];
    for (const shelf of this.shelves.values()) {
      const usage = shelf.usage();
      blobs += usage.blobs;
      live += usage.live;
      dead += usage.dead;
    }
    return { blobs, live, dead };
  }

  /** Writes down when blobs were last used. */
  async saveUse(): Promise<void> {
    for (const shelf of this.shelves.values()) await shelf.saveUse();
  }

  async close(): Promise<void> {
    await closeAll([...this.shelves.values()].map((shelf) => () => shelf.close()));
  }

  private shelf(fn: DigestFunction): Shelf {
    let shelf = this.shelves.get(fn);
    if (shelf === undefined) {
      shelf = new Shelf(join(this.directory, fn.name), fn, this.context);
      this.shelves.set(fn, shelf);
    }
    return shelf;
  }
}
