import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { then } from "../../base/maybe-promise.ts";
import type { Blob } from "../blob-store.ts";
import { DiskBlob } from "../disk/disk-blob.ts";
import type { DiskTenant } from "../disk/disk-tenant.ts";
import { BatchLease, type PlainBatch } from "./batch-lease.ts";
import { type HandedOver, LentUpload, type PlainUpload } from "./lent-upload.ts";
import { digestOfPlain, digestsOfPlain, functionOf, type PlainDigest, type PlainDigests } from "./plain.ts";
import { aligned } from "./put-slabs.ts";

/** Where an open blob lies. */
export interface PlainBlob {
  readonly lease: number;
  readonly fd: number;
  readonly start: number;
}

/** What the thread of the store asks one that has doors. */
export interface DoorAsks {
  /** Stops writing to an upload; `undefined` where that has ended. */
  recallUpload(number: number): Promise<HandedOver | undefined>;
}

/** What the thread of the store answers. */
export type StoreAsks = ReturnType<StoreDesk["answers"]>;

/** A lease that somebody has. */
interface Lease {
  end(): void;
}

/**
 * Answers the questions of one thread's DistantStore, and knows everything of the store that the thread holds: `close` frees it when the thread
 * has ended, however that was. Descriptors are opened and closed here alone; the other thread reads from those that it was lent, and writes to them.
 */
export class StoreDesk {
  private readonly tenant: (instance: string) => DiskTenant;
  private readonly recall: DoorAsks["recallUpload"];
  private readonly leases = new Map<number, Lease>();
  private readonly uploads = new Map<number, LentUpload>();
  private readonly slabs = new Map<number, Uint8Array>();
  private last = 0;
  private closed = false;

  constructor(tenant: (instance: string) => DiskTenant, recall: DoorAsks["recallUpload"]) {
    this.tenant = tenant;
    this.recall = recall;
  }

  /** What is held: open blobs and batches, and uploads. */
  get held(): number {
    return this.leases.size + this.uploads.size;
  }

  answers() {
    return {
      missing: (instance: string, digests: PlainDigests): number[] =>
        this.tenant(instance).missing(digestsOfPlain(digests)),
      missingOfSlab: (instance: string, fn: number, length: number, slab: number, at: number): number[] => {
        const list = new DigestList(functionOf(fn), 0);
        const wordBytes = length * list.function.words * Uint32Array.BYTES_PER_ELEMENT;
        const sizesAt = at + aligned(wordBytes);
        const { buffer } = this.bytes(slab, at, sizesAt - at + length * Float64Array.BYTES_PER_ELEMENT);
        list.words = new Uint32Array(buffer, at, length * list.function.words);
        list.sizes = new Float64Array(buffer, sizesAt, length);
        list.length = length;
        return this.tenant(instance).missing(list);
      },
      sizeOf: (instance: string, fn: number, hash: string): number | undefined =>
        this.tenant(instance).sizeOf(functionOf(fn), hash),
      sizesOf: (instance: string, hashes: PlainDigests): Float64Array =>
        this.tenant(instance).sizesOf(digestsOfPlain(hashes)),
      open: (instance: string, digest: PlainDigest): MaybePromise<PlainBlob | undefined> =>
        then(this.tenant(instance).open(digestOfPlain(digest)), (blob) => blob && this.lendBlob(blob)),
      readBatch: (instance: string, digests: PlainDigests): PlainBatch => this.lendBatch(instance, digests),
      openRun: (lease: number, run: number): Promise<number | undefined> => this.batch(lease).open(run),
      closeRun: (lease: number, fd: number): Promise<void> => this.batch(lease).close(fd),
      discard: (lease: number, i: number, run: number, offset: number): void =>
        this.batch(lease).discard(i, run, offset),
      endLease: (lease: number): void => this.endLease(lease),
      slab: (number: number, memory: SharedArrayBuffer): void => void this.slabs.set(number, new Uint8Array(memory)),
      dropSlab: (number: number): void => void this.slabs.delete(number),
      put: (instance: string, plain: PlainDigest, slab: number, at: number): Promise<void> => {
        const digest = digestOfPlain(plain);
        return this.tenant(instance).putVerified(digest, this.bytes(slab, at, digest.size));
      },
      upload: async (instance: string, digest: PlainDigest): Promise<PlainUpload> =>
        this.lendOrDrop(await this.begin(instance, digest)),
      keepUpload: (number: number, slab: number, at: number, length: number): Promise<void> =>
        this.upload(number)
          .keep(this.bytes(slab, at, length))
          .finally(() => this.uploads.delete(number)),
      publishUpload: (number: number): Promise<void> =>
        this.upload(number)
          .publish()
          .finally(() => this.uploads.delete(number)),
      dropUpload: async (number: number): Promise<void> => {
        const upload = this.uploads.get(number);
        this.uploads.delete(number);
        await upload?.abort();
      },
    };
  }

  /** Begins an upload that is going to be lent. Errors: `exhausted`. */
  async begin(instance: string, digest: PlainDigest): Promise<LentUpload> {
    const named = digestOfPlain(digest);
    return new LentUpload(named, await this.tenant(instance).begin(named));
  }

  /** Gives an upload to the thread. Errors: `unavailable` where that has ended. */
  lend(upload: LentUpload): PlainUpload {
    if (this.closed) throw hasEnded();
    const number = ++this.last;
    const lent = upload.lend(number, async () => {
      try {
        return await this.recall(number);
      } finally {
        this.uploads.delete(number);
      }
    });
    this.uploads.set(number, upload);
    return lent;
  }

  /** The thread has given an upload back, for another one to go on with. */
  takeBack(number: number, soFar: HandedOver): void {
    this.uploads.get(number)?.park(soFar);
    this.uploads.delete(number);
  }

  /** Gives nothing to the thread from now on: it has ended. */
  end(): void {
    this.closed = true;
  }

  /** Frees what the thread held. To be called when it has ended, and nothing of it reads or writes any more. */
  async close(): Promise<void> {
    this.end();
    for (const lease of this.leases.values()) lease.end();
    this.leases.clear();
    this.slabs.clear();
    const uploads = [...this.uploads.values()];
    this.uploads.clear();
    await Promise.all(uploads.map((upload) => upload.abort()));
  }

  private async lendOrDrop(upload: LentUpload): Promise<PlainUpload> {
    try {
      return this.lend(upload);
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  private lendBlob(blob: Blob): PlainBlob {
    if (!(blob instanceof DiskBlob)) throw new StillageError("internal", "the blob is in no file");
    const { fd, start } = blob;
    return { lease: this.lease({ end: () => blob.close() }), fd, start };
  }

  private lendBatch(instance: string, plain: PlainDigests): PlainBatch {
    const digests = digestsOfPlain(plain);
    try {
      const lease = new BatchLease(this.tenant(instance).lendBatch(digests), digests);
      return lease.lend(lease.empty ? 0 : this.lease(lease));
    } catch (error) {
      throw fromFileSystem(error, "cannot read blobs");
    }
  }

  private lease(lease: Lease): number {
    if (this.closed) {
      lease.end();
      throw hasEnded();
    }
    this.leases.set(++this.last, lease);
    return this.last;
  }

  private endLease(number: number): void {
    this.leases.get(number)?.end();
    this.leases.delete(number);
  }

  private batch(number: number): BatchLease {
    const lease = this.leases.get(number);
    if (lease instanceof BatchLease) return lease;
    throw new StillageError("internal", `there is no batch ${number}`);
  }

  private upload(number: number): LentUpload {
    const upload = this.uploads.get(number);
    if (upload !== undefined) return upload;
    throw new StillageError("aborted", "the upload has ended");
  }

  private bytes(slab: number, at: number, length: number): Uint8Array {
    const bytes = this.slabs.get(slab);
    if (bytes === undefined || at + length > bytes.length)
      throw new StillageError("internal", `no bytes ${slab}/${at}`);
    return bytes.subarray(at, at + length);
  }
}

function hasEnded(): StillageError {
  return new StillageError("unavailable", "the thread has ended");
}
