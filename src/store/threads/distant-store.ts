import { BufferPool } from "../../base/buffer-pool.ts";
import { type Digest, isEmptyBlob } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import type { DigestList } from "../../base/digest-list.ts";
import type { ThreadLine } from "../../base/thread-line.ts";
import type { BatchRead, Blob, BlobBatch, BlobStore, Upload } from "../blob-store.ts";
import { BatchFiller } from "../disk/batch-filler.ts";
import { alignedBuffer } from "../disk/direct-io.ts";
import { DiskBlob } from "../disk/disk-blob.ts";
import { FileUpload } from "../disk/file-upload.ts";
import { maxPackedSize } from "../disk/pack.ts";
import { largePieceBytes, PieceWriter, smallPieceBytes } from "../disk/piece-writer.ts";
import { ReadBuffers } from "../disk/read-buffers.ts";
import { ReadPace } from "../disk/read-pace.ts";
import { verifyAndSync } from "../disk/shared-bytes.ts";
import { GatheredUpload } from "../gathered-upload.ts";
import { putByUpload } from "../put-by-upload.ts";
import { putEach } from "../put-each.ts";
import { verifyAnyBlob } from "../verify-blob.ts";
import { filesOfPlan, planOfPlain } from "./batch-lease.ts";
import { DistantUpload } from "./distant-upload.ts";
import type { PlainUpload } from "./lent-upload.ts";
import { plainDigest, plainDigests } from "./plain.ts";
import { aligned, PutSlabs, slabBytes } from "./put-slabs.ts";
import type { StoreAsks } from "./store-desk.ts";

/** Idle buffers that are kept for the next write, and large ones that may be out when an upload begins that is to have them. */
const keptPieces = 16;

/** From here on a list of digests goes through shared memory: a message copies it twice. */
const longList = 100;

/**
 * The store of another thread. What costs time is done here: hashing, reading from the descriptors that the other thread opens, writing to
 * them; it looks up, reserves and publishes. The bytes of a large blob never pass from one thread to the other, those of a small one in shared memory.
 */
export class DistantStore {
  readonly line: ThreadLine<StoreAsks>;
  readonly pace = new ReadPace(() => performance.now());
  readonly filler = new BatchFiller(this.pace, new ReadBuffers());
  readonly slabs: PutSlabs;
  private readonly largePieces = new BufferPool(largePieceBytes, keptPieces, alignedBuffer);
  private readonly smallPieces = new BufferPool(smallPieceBytes, keptPieces, alignedBuffer);

  constructor(line: ThreadLine<StoreAsks>) {
    this.line = line;
    this.slabs = new PutSlabs(line);
  }

  /** The blobs of an instance name. */
  tenant(instance: string): BlobStore {
    return new DistantTenant(instance, this);
  }

  /** Takes the bytes of an upload that the other thread has begun. */
  take(digest: Digest, plain: PlainUpload): DistantUpload {
    const { number, file, soFar } = plain;
    const drop = (): Promise<void> => this.line.ask("dropUpload", number);
    if (file === undefined) {
      const store = async (bytes: Uint8Array): Promise<void> => {
        try {
          await verifyAnyBlob(digest, bytes);
        } catch (error) {
          await drop();
          throw error;
        }
        await this.slabs.share(
          bytes.length,
          (into) => into.set(bytes),
          (slab, at) => this.line.ask("keepUpload", number, slab, at, bytes.length),
        );
      };
      const end = { store, drop };
      return new DistantUpload(plain, new GatheredUpload(digest, end, soFar?.kept));
    }
    const { fd, path, direct, durable } = file;
    const pool = this.largePieces.out < keptPieces ? this.largePieces : this.smallPieces;
    const pieces = new PieceWriter(fd, pool, { direct, durable, lent: true }, soFar);
    const end = { publish: (): Promise<void> => this.line.ask("publishUpload", number), drop };
    const verify = (): Promise<void> => verifyAndSync(path, digest, this.smallPieces);
    const elsewhere = soFar && { received: soFar.received, verify };
    return new DistantUpload(plain, new FileUpload(digest, pieces, end, elsewhere), pieces);
  }
}

class DistantTenant implements BlobStore {
  private readonly instance: string;
  private readonly store: DistantStore;
  private readonly line: ThreadLine<StoreAsks>;

  constructor(instance: string, store: DistantStore) {
    this.instance = instance;
    this.store = store;
    this.line = store.line;
  }

  missing(digests: DigestList): Promise<number[]> {
    const { line, instance } = this;
    const { function: fn, words, sizes, length } = digests;
    const wordBytes = length * fn.words * Uint32Array.BYTES_PER_ELEMENT;
    const room = aligned(wordBytes) + length * Float64Array.BYTES_PER_ELEMENT;
    if (length < longList || room > slabBytes) return line.ask("missing", instance, plainDigests(digests));
    const fill = (into: Uint8Array): void => {
      into.set(new Uint8Array(words.buffer, words.byteOffset, wordBytes));
      into.set(new Uint8Array(sizes.buffer, sizes.byteOffset, room - aligned(wordBytes)), aligned(wordBytes));
    };
    const use = (slab: number, at: number): Promise<number[]> =>
      line.ask("missingOfSlab", instance, fn.value, length, slab, at);
    return this.store.slabs.share(room, fill, use);
  }

  sizeOf(fn: DigestFunction, hash: string): Promise<number | undefined> {
    return this.line.ask("sizeOf", this.instance, fn.value, hash);
  }

  sizesOf(hashes: DigestList): Promise<Float64Array> {
    return this.line.ask("sizesOf", this.instance, plainDigests(hashes));
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    if (isEmptyBlob(digest)) return { digest, read: () => {}, close: () => {} };
    const found = await this.line.ask("open", this.instance, plainDigest(digest));
    if (found === undefined) return undefined;
    const { lease, fd, start } = found;
    return new DiskBlob(digest, { fd, start }, this.store.pace, () => this.line.tell("endLease", lease));
  }

  async readBatch(digests: DigestList): Promise<BatchRead> {
    const { line, store } = this;
    const batch = await line.ask("readBatch", this.instance, plainDigests(digests));
    const { lease } = batch;
    const plan = planOfPlain(batch);
    const files = filesOfPlan(plan, {
      open: (run) => line.ask("openRun", lease, run),
      close: (fd) => line.ask("closeRun", lease, fd),
      discard: (i, run, offset) => line.tell("discard", lease, i, run, offset),
    });
    try {
      return await store.filler.fill(digests, plan, files);
    } finally {
      if (lease > 0) line.tell("endLease", lease);
    }
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (digest.size > maxPackedSize) return putByUpload(this, digest, bytes);
    await verifyAnyBlob(digest, bytes);
    if (bytes.length === 0) return;
    const plain = plainDigest(digest);
    await this.store.slabs.share(
      bytes.length,
      (into) => into.set(bytes),
      (slab, at) => this.line.ask("put", this.instance, plain, slab, at),
    );
  }

  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    return putEach(this, batch);
  }

  async upload(digest: Digest): Promise<Upload> {
    return this.store.take(digest, await this.line.ask("upload", this.instance, plainDigest(digest)));
  }
}
