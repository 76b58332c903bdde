import { type Digest, digestOf, isEmptyBlob, keyOfDigest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import type { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { encodeEntry } from "../batch-entry.ts";
import type { BlobStaging, StagedBlob } from "../blob-staging.ts";
import type { BatchRead, Blob, BlobStore, BlobStoreAdmin, StoreUsage, Upload } from "../blob-store.ts";
import { GatheredUpload } from "../gathered-upload.ts";
import { verifyBlob } from "../verify-blob.ts";

const nothing = new Uint8Array(0);

/** Blobs in memory, whole: for tests, and as the contract of a store in its shortest form. `quota` is in bytes. */
export class MemoryStore implements BlobStore, BlobStaging, BlobStoreAdmin {
  private readonly blobs = new Map<string, Uint8Array>();
  private readonly quota: number | undefined;
  private bytes = 0;
  private removed = 0;

  constructor(options: { readonly quota?: number } = {}) {
    this.quota = options.quota;
  }

  missing(digests: DigestList): number[] {
    const absent: number[] = [];
    for (let i = 0; i < digests.length; i++) if (this.find(digests.at(i)) === undefined) absent.push(i);
    return absent;
  }

  open(digest: Digest): Blob | undefined {
    const bytes = this.find(digest);
    if (bytes === undefined) return undefined;
    return {
      digest,
      read: (buffer, position) => buffer.set(bytes.subarray(position, position + buffer.length)),
      close: () => {},
    };
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    if (hash === fn.emptyHash) return 0;
    for (const [digest, { length }] of this.blobs) if (digest.startsWith(`${fn.name} ${hash}/`)) return length;
    return undefined;
  }

  readBatch(digests: DigestList): BatchRead {
    const parts: Uint8Array[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const bytes = this.find(digests.at(i));
      if (bytes === undefined) missing.push(i);
      else parts.push(encodeEntry(digests, i, bytes));
    }
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    verifyBlob(digest, bytes);
    if (this.find(digest) !== undefined) return;
    this.take(digest.size);
    this.blobs.set(keyOfDigest(digest), new Uint8Array(bytes)); // not slice: of a Buffer that is a view
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
    let sealed: Digest | undefined;
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
        sealed ??= digestOf(fn, Buffer.concat(chunks));
        return sealed;
      },
      finish: async () => {
        if (ended) throw new StillageError("aborted", "the staged blob has ended");
        const bytes = Buffer.concat(chunks);
        end();
        await this.put(sealed ?? digestOf(fn, bytes), bytes);
      },
      abort: async () => end(),
    };
  }

  /** Forgets a blob; nothing happens where there is none. */
  async remove(digest: Digest): Promise<void> {
    if (!this.blobs.delete(keyOfDigest(digest))) return;
    this.bytes -= digest.size;
    this.removed++;
  }

  usage(): StoreUsage {
    return { blobs: this.blobs.size, bytes: this.bytes, quota: this.quota };
  }

  removals(): number {
    return this.removed;
  }

  async close(): Promise<void> {}

  private find(digest: Digest): Uint8Array | undefined {
    return isEmptyBlob(digest) ? nothing : this.blobs.get(keyOfDigest(digest));
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
