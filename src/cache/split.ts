import { setImmediate as breath } from "node:timers/promises";
import { type Digest, digestOf, isEmptyBlob, keyOfDigest, showDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { runningHash } from "../base/hash.ts";
import type { Blob, BlobStore } from "../store/blob-store.ts";
import type { ChunkLists } from "./chunk-lists.ts";
import { averageChunkBytes, chunking, newCutter } from "./chunking.ts";
import { Slots } from "./slots.ts";
import type { Tenant } from "./tenant.ts";

/** Blobs that are cut at the same time, over all tenants, each with a window: cutting is work for the processor, of which more would get less. */
export const maxSplits = 2;

/** What of a blob is in memory: four chunks of the largest size, so that the disk is waited for once in some dozen chunks. */
const windowBytes = 4 * chunking.max;

/** Read and hashed at once: half a millisecond. */
const readBytes = 1 << 20;

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
  private readonly cutter = newCutter();
  /** Many clients want a new blob at once: one cuts it. */
  private readonly running = new Map<string, Promise<DigestList>>();

  constructor(lists: ChunkLists) {
    this.lists = lists;
  }

  /**
   * The chunks, which are all there. Errors: `not-found` for a blob that is not there, and for one whose list does not fit a message; `corrupt`
   * for one that is not what it was; those of `put`. A split that has begun goes on when its client is gone: it asks again.
   */
  async chunksOf(tenant: Tenant, blob: Digest, signal: AbortSignal): Promise<DigestList> {
    if (isEmptyBlob(blob)) return new DigestList(blob.function, 0);
    return (
      (await this.remembered(tenant, blob)) ??
      this.slots.run(async () => {
        signal.throwIfAborted();
        return (await this.remembered(tenant, blob)) ?? this.once(tenant, blob);
      })
    );
  }

  private async remembered(tenant: Tenant, blob: Digest): Promise<DigestList | undefined> {
    if ((await tenant.blobs.missing(DigestList.of(blob))).length > 0) notThere(blob);
    const list = this.lists.get(tenant, blob);
    if (list === undefined || (await tenant.blobs.missing(list)).length > 0) return undefined;
    return list;
  }

  private once(tenant: Tenant, blob: Digest): Promise<DigestList> {
    const key = `${tenant.name}\n${keyOfDigest(blob)}`;
    const before = this.running.get(key);
    if (before !== undefined) return before;
    const splitting = this.split(tenant, blob).finally(() => this.running.delete(key));
    this.running.set(key, splitting);
    return splitting;
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
    const window = Buffer.allocUnsafeSlow(Math.min(windowBytes, size));
    const whole = runningHash(fn);
    let filled = 0;
    for (let read = 0; read < size || filled > 0; ) {
      while (filled < window.length && read < size) {
        const piece = window.subarray(filled, filled + Math.min(readBytes, window.length - filled, size - read));
        await blob.read(piece, read);
        whole.update(piece);
        filled += piece.length;
        read += piece.length;
      }
      const storing: Promise<void>[] = [];
      const failures: unknown[] = [];
      let at = 0;
      while (at < filled && (read === size || filled - at >= chunking.max)) {
        const end = this.cutter.cut(window, at, filled);
        const bytes = window.subarray(at, end);
        const chunk = digestOf(fn, bytes);
        chunks.push(chunk);
        if ((await blobs.missing(DigestList.of(chunk))).length > 0) {
          storing.push(blobs.put(chunk, bytes).catch((error) => void failures.push(error)));
        }
        at = end;
        await breath();
      }
      await Promise.all(storing); // they read the window
      if (failures.length > 0) throw failures[0];
      if (chunks.length > maxChunks(fn)) tooMany(digest);
      window.copyWithin(0, at, filled);
      filled -= at;
    }
    if (whole.digest("hex") !== digest.hash) {
      throw new StillageError("corrupt", `the bytes of ${showDigest(digest)} are no longer those that it names`);
    }
  }
}

function notThere(blob: Digest): never {
  throw new StillageError("not-found", `${showDigest(blob)} is not in this cache`);
}

function tooMany(blob: Digest): never {
  throw new StillageError("not-found", `${showDigest(blob)} has more chunks than fit a message`, {
    hint: "read it as a whole",
  });
}
