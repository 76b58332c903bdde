import { type Clock, systemClock } from "../../base/clock.ts";
import { type Digest, isEmptyBlob, keyOfDigest } from "../../base/digest.ts";
import { type DigestFunction, ostree, storedFunctions } from "../../base/digest-function.ts";
import type { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { anyHashOf } from "../../base/hash.ts";
import { encodeEntry } from "../batch-entry.ts";
import type { StoreCensus } from "../blob-census.ts";
import type { BlobStaging, StagedBlob } from "../blob-staging.ts";
import type {
  BatchRead,
  Blob,
  BlobBatch,
  BlobReader,
  BlobStore,
  BlobStoreAdmin,
  StoreUsage,
  Upload,
} from "../blob-store.ts";
import { GatheredUpload } from "../gathered-upload.ts";
import { putEach } from "../put-each.ts";
import { verifyAnyBlob } from "../verify-blob.ts";
import { type MemoryBlob, MemoryCensus, type Numbered } from "./memory-census.ts";

const nothing = new Uint8Array(0);

/** Blobs in memory, whole: for tests, and as the contract of a store in its shortest form, one tenant without a name. `quota` is in bytes. */
export class MemoryStore implements BlobStore, BlobStaging, BlobStoreAdmin {
  private readonly numbers = new Map<string, number>();
  private readonly list: (MemoryBlob | undefined)[] = [];
  private readonly quota: number | undefined;
  private readonly clock: Clock;
  private bytes = 0;
  private removed = 0;

  constructor(options: { readonly quota?: number; readonly clock?: Clock } = {}) {
    this.quota = options.quota;
    this.clock = options.clock ?? systemClock;
  }

  missing(digests: DigestList, quiet = false): number[] {
    const absent: number[] = [];
    for (let i = 0; i < digests.length; i++) if (this.find(digests.at(i), quiet) === undefined) absent.push(i);
    return absent;
  }

  open(digest: Digest, quiet = false): Blob | undefined {
    const bytes = this.find(digest, quiet);
    if (bytes === undefined) return undefined;
    return {
      digest,
      read: (buffer, position) => buffer.set(bytes.subarray(position, position + buffer.length)),
      close: () => {},
    };
  }

  sizesOf(hashes: DigestList, quiet = false): Float64Array {
    const { function: fn, length } = hashes;
    return Float64Array.from({ length }, (_, i) => {
      const { hash } = hashes.at(i);
      const size = this.sizeOf(fn, hash) ?? -1;
      if (size > 0) this.find({ function: fn, hash, size }, quiet);
      return hash === fn.emptyHash ? -1 : size; // it is not stored
    });
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    if (hash === fn.emptyHash) return 0;
    return this.list.find((each) => each?.digest.hash === hash && each.digest.function === fn)?.digest.size;
  }

  readBatch(digests: DigestList, quiet = false): BatchRead {
    const parts: Uint8Array[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const bytes = this.find(digests.at(i), quiet);
      if (bytes === undefined) missing.push(i);
      else parts.push(encodeEntry(digests, i, bytes));
    }
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    await verifyAnyBlob(digest, bytes);
    if (this.find(digest) !== undefined) return;
    // Two blobs have one hash where they are deflations of one file.
    if (digest.function === ostree && this.sizeOf(ostree, digest.hash) !== undefined) return;
    this.take(digest.size);
    const kept = new Uint8Array(bytes); // not slice: of a Buffer that is a view
    this.numbers.set(keyOfDigest(digest), this.list.push({ digest, bytes: kept, used: this.seconds() }) - 1);
  }

  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    return putEach(this, batch);
  }

  async upload(digest: Digest): Promise<Upload> {
    this.take(digest.size);
    const giveBack = (): void => {
      this.bytes -= digest.size;
    };
    return new GatheredUpload(digest, {
      store: (bytes) => {
        giveBack();
        return this.put(digest, bytes);
      },
      drop: giveBack,
    });
  }

  async stage(fn: DigestFunction): Promise<StagedBlob> {
    const chunks: Uint8Array[] = [];
    let received = 0;
    let sealed: Promise<Digest> | undefined;
    let ended = false;
    const end = (): void => {
      if (!ended) this.bytes -= received;
      ended = true;
    };
    return {
      get received() {
        return received;
      },
      write: (chunk) => {
        if (sealed !== undefined || ended) throw new StillageError("aborted", "the staged blob has ended");
        this.take(chunk.length);
        received += chunk.length;
        chunks.push(new Uint8Array(chunk));
      },
      seal: () => {
        if (ended) throw new StillageError("aborted", "the staged blob has ended");
        sealed ??= anyDigestOf(fn, Buffer.concat(chunks));
        return sealed;
      },
      finish: async () => {
        if (ended) throw new StillageError("aborted", "the staged blob has ended");
        const bytes = Buffer.concat(chunks);
        end();
        await this.put(await (sealed ?? anyDigestOf(fn, bytes)), bytes);
      },
      abort: async () => end(),
    };
  }

  /** Forgets a blob; nothing happens where there is none. */
  async remove(digest: Digest): Promise<void> {
    const number = this.numbers.get(keyOfDigest(digest));
    if (number === undefined) return;
    this.numbers.delete(keyOfDigest(digest));
    this.list[number] = undefined;
    this.bytes -= digest.size;
    this.removed++;
  }

  census(): StoreCensus {
    const numbered: Numbered = {
      list: this.list,
      remove: (digest) => this.remove(digest),
    };
    const reader: BlobReader = {
      missing: (digests) => this.missing(digests, true),
      sizeOf: (fn, hash) => this.sizeOf(fn, hash),
      sizesOf: (hashes) => this.sizesOf(hashes, true),
      open: (digest) => this.open(digest, true),
      readBatch: (digests) => this.readBatch(digests, true),
    };
    const shelves = storedFunctions.map((fn) => new MemoryCensus(fn, numbered));
    return { tenants: [{ instance: "", shelves, reader }], resolution: 0, unsaved: 0, close: () => {} };
  }

  usage(): StoreUsage {
    return { blobs: this.numbers.size, bytes: this.bytes, live: this.bytes, dead: 0, others: 0, quota: this.quota };
  }

  removals(): number {
    return this.removed;
  }

  async close(): Promise<void> {}

  private find(digest: Digest, quiet = false): Uint8Array | undefined {
    if (isEmptyBlob(digest)) return nothing;
    const blob = this.list[this.numbers.get(keyOfDigest(digest)) ?? -1];
    if (blob !== undefined && !quiet) blob.used = this.seconds();
    return blob?.bytes;
  }

  private seconds(): number {
    return Math.floor(this.clock() / 1000);
  }

  private take(bytes: number): void {
    if (this.quota !== undefined && this.bytes + bytes > this.quota) {
      throw new StillageError(
        "exhausted",
        `the store is full: ${this.bytes} of ${this.quota} bytes, ${bytes} more needed`,
      );
    }
    this.bytes += bytes;
  }
}

async function anyDigestOf(fn: DigestFunction, bytes: Uint8Array): Promise<Digest> {
  const hash = await anyHashOf(fn, bytes);
  if (hash === undefined) throw new StillageError("invalid", `${bytes.length} bytes are not what ${fn.name} names`);
  return { function: fn, hash, size: bytes.length };
}
