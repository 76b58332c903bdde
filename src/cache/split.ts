import { setImmediate as breath } from "node:timers/promises";
import { type Digest, digestOf, isEmptyBlob, keyOfDigest, showDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { runningHash } from "../base/hash.ts";
import { isPromise } from "../base/maybe-promise.ts";
import type { Blob, BlobStore } from "../store/blob-store.ts";
import type { ChunkLists } from "./chunk-lists.ts";
import { averageChunkBytes, chunking, newCutter } from "./chunking.ts";
import type { FastCdc } from "./fast-cdc.ts";
import { ReadAhead } from "./read-ahead.ts";
import { Slots } from "./slots.ts";
import type { Tenant } from "./tenant.ts";

/** Blobs that are cut at the same time, over all tenants, each with a window: cutting is work for the processor, of which more would get less. */
export const maxSplits = 2;

/** Read and hashed at once: half a millisecond. */
const readBytes = 1 << 20;

/** What of a blob is in memory, twice: one window is read and cut while the chunks of the other are being written. */
const windowBytes = 2 * chunking.max + readBytes;

/** What fits, beside its frame, the 4 MiB that clients take in a message; a digest takes some 12 bytes besides its hash. */
const maxAnswerBytes = (4 << 20) - 1024;
const maxChunks = ({ hexLength }: DigestFunction): number => Math.floor(maxAnswerBytes / (hexLength + 12));

/**
 * SplitBlob (remote_execution.proto): the chunks of a blob by FastCDC, in the store like any others. They take the room of the blob once more, as
 * far as other blobs do not have the same; each lives as long as it is used. A list that was made is remembered while there is room, so that
 * asking again costs a look-up of its chunks, which extends their life.
 *
 * A crash leaves some chunks, whole and verified, and no list: the next call finds them there and stores the others.
 */
export class Splits {
  private readonly lists: ChunkLists;
  private readonly slots = new Slots(maxSplits);
  private cutter: FastCdc | undefined;
  /** Many clients want a new blob at once: it is cut once, in one slot. */
  private readonly jobs = new Map<string, Job>();

  constructor(lists: ChunkLists) {
    this.lists = lists;
  }

  /**
   * The chunks, which are all there. Errors: `not-found` for a blob that is not there, and for one whose list does not fit a message; `corrupt`
   * for one that is not what it was; those of `put`. A split that has begun goes on when its client is gone: it asks again.
   */
  async chunksOf(tenant: Tenant, blob: Digest, signal: AbortSignal): Promise<DigestList> {
    if (isEmptyBlob(blob)) return new DigestList(blob.function, 0);
    return (await this.remembered(tenant, blob)) ?? this.made(tenant, blob, signal);
  }

  private async remembered(tenant: Tenant, blob: Digest): Promise<DigestList | undefined> {
    if ((await tenant.blobs.missing(DigestList.of(blob))).length > 0) notThere(blob);
    const list = this.lists.get(tenant, blob);
    if (list === undefined || (await tenant.blobs.missing(list)).length > 0) return undefined;
    return list;
  }

  private made(tenant: Tenant, blob: Digest, signal: AbortSignal): Promise<DigestList> {
    const key = `${tenant.name}\n${keyOfDigest(blob)}`;
    const before = this.jobs.get(key);
    before?.askers.push(signal);
    if (before !== undefined) return before.list;
    const askers = [signal];
    const list = this.slots.run(async () => {
      if (askers.every(({ aborted }) => aborted)) throw signal.reason;
      return (await this.remembered(tenant, blob)) ?? this.split(tenant, blob);
    });
    const job = { askers, list: list.finally(() => this.jobs.delete(key)) };
    this.jobs.set(key, job);
    return job.list;
  }

  private async split(tenant: Tenant, digest: Digest): Promise<DigestList> {
    if (digest.size / averageChunkBytes > maxChunks(digest.function)) tooMany(digest);
    const blob = await tenant.blobs.open(digest);
    if (blob === undefined) notThere(digest);
    try {
      const chunks = new DigestList(digest.function, Math.ceil(digest.size / averageChunkBytes));
      await this.cut(tenant.blobs, blob, chunks);
      this.lists.set(tenant, digest, chunks);
      return chunks;
    } finally {
      blob.close();
    }
  }

  /** Cuts a blob window by window, and stores the chunks that are missing. */
  private async cut(blobs: BlobStore, blob: Blob, chunks: DigestList): Promise<void> {
    const { digest } = blob;
    const { function: fn, size } = digest;
    this.cutter ??= newCutter();
    const whole = runningHash(fn);
    const allocate = (): Window => ({ bytes: Buffer.allocUnsafeSlow(Math.min(windowBytes, size)), writing: [] });
    let [window, other] = [allocate(), size > windowBytes ? allocate() : undefined];
    const failures: unknown[] = [];
    const pieces = new ReadAhead(blob, readBytes);
    try {
      let filled = 0;
      let piece = await pieces.next();
      while (piece !== undefined || filled > 0) {
        const { bytes, writing } = window;
        while (piece !== undefined && filled + piece.length <= bytes.length) {
          const taken = whole.update(piece);
          if (isPromise(taken)) await taken;
          bytes.set(piece, filled);
          filled += piece.length;
          piece = await pieces.next();
        }
        let at = 0;
        while (at < filled && (piece === undefined || filled - at >= chunking.max)) {
          const end = this.cutter.cut(bytes, at, filled);
          const chunk = digestOf(fn, bytes.subarray(at, end));
          chunks.push(chunk);
          if ((await blobs.missing(DigestList.of(chunk))).length > 0) {
            writing.push(blobs.put(chunk, bytes.subarray(at, end)).catch((error) => void failures.push(error)));
          }
          at = end;
          await breath();
        }
        if (chunks.length > maxChunks(fn)) tooMany(digest);
        if (other !== undefined) {
          await Promise.all(other.writing.splice(0));
          if (failures.length > 0) throw failures[0];
          bytes.copy(other.bytes, 0, at, filled);
          [window, other] = [other, window];
        }
        filled -= at;
      }
    } finally {
      await Promise.all([pieces.stop(), ...window.writing, ...(other?.writing ?? [])]);
    }
    if (failures.length > 0) throw failures[0];
    if ((await whole.digest("hex")) !== digest.hash) {
      throw new StillageError("corrupt", `the bytes of ${showDigest(digest)} are no longer those that it names`);
    }
  }
}

/** A blob that is being cut, or waits for its turn. */
interface Job {
  /** Who waits for it. Where all have gone before it begins, it does not. */
  readonly askers: AbortSignal[];
  readonly list: Promise<DigestList>;
}

/** A part of a blob, and what is being written of it: until that has settled, the bytes stay. */
interface Window {
  readonly bytes: Buffer;
  readonly writing: Promise<void>[];
}

function notThere(blob: Digest): never {
  throw new StillageError("not-found", `${showDigest(blob)} is not in this cache`);
}

function tooMany(blob: Digest): never {
  throw new StillageError("not-found", `${showDigest(blob)} has more chunks than fit a message`, {
    hint: "read it as a whole",
  });
}
