import { type Digest, isEmptyBlob } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf, runningHash } from "../../base/hash.ts";
import { Slices } from "../../base/slices.ts";
import { closeFile, openFile, readFully } from "../../store/disk/file-io.ts";
import { BlobBatches } from "../blob-batches.ts";
import type { BlobSource, PieceUse, TakeBatch } from "../blob-place.ts";
import { cacheFailure, checkSignal, isAbsent } from "./cache-failure.ts";
import { type CacheLayout, objectPath } from "./cache-layout.ts";
import { readObject, removeObject, sizeOfObject } from "./object-file.ts";
import { roomForPieces } from "./piece-room.ts";

/** The blobs that programs of one generation keep, each a file under its hash, as a source. What is no SHA-256 is not there. */
export class ObjectSource implements BlobSource {
  private readonly layout: CacheLayout;

  constructor(layout: CacheLayout) {
    this.layout = layout;
  }

  /** Where a blob is that is there in its size, which its bytes have not been asked for. */
  pathOf(digest: Digest): string | undefined {
    if (digest.function !== sha256) return undefined;
    const path = objectPath(this.layout, digest);
    return sizeOfObject(path) === digest.size ? path : undefined;
  }

  /** A file that has other bytes than its name says is removed, and not there: what comes for it next heals the cache. */
  async readMany(digests: readonly Digest[], take: TakeBatch, signal: AbortSignal): Promise<Digest[]> {
    // Files in the page cache are read some four times as fast at once as by the thread pool.
    const slices = new Slices();
    const batches = new BlobBatches(digests, take);
    const missing: Digest[] = [];
    for (const digest of digests) {
      if (slices.over) {
        await slices.rest();
        checkSignal(signal);
      }
      // One byte more shows a file that is longer.
      if (batches.isFull(digest.size + 1)) await batches.give();
      try {
        if (this.readWhole(digest, batches)) batches.add(digest);
        else missing.push(digest);
      } catch (error) {
        await batches.give(); // those before it are all right
        throw error;
      }
    }
    await batches.give();
    return missing;
  }

  /** Verified where it is read from its beginning. Errors: `not-found`, `corrupt`. */
  async *read(digest: Digest, offset: number, signal: AbortSignal, use?: PieceUse): AsyncGenerator<Uint8Array> {
    if (isEmptyBlob(digest)) return;
    const path = this.pathOf(digest);
    if (path === undefined) throw new StillageError("not-found", `${digest.hash} is not in the cache`);
    const fd = await openFile(path, "r").catch((error: unknown) => {
      if (isAbsent(error)) throw new StillageError("not-found", `${path} is gone`, { cause: error });
      throw cacheFailure(error, `reading ${path}`);
    });
    try {
      yield* this.pieces({ digest, path, fd, offset, room: roomForPieces(use, digest.size - offset) }, signal);
    } finally {
      await closeFile(fd);
    }
  }

  private async *pieces(
    { digest, path, fd, offset, room }: OpenObject,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const hash = offset === 0 ? runningHash(sha256) : undefined;
    for (let at = offset; at < digest.size; ) {
      checkSignal(signal);
      const buffer = room(digest.size - at);
      const count = await readFully(fd, buffer, at).catch((error: unknown) => {
        throw cacheFailure(error, `reading ${path}`);
      });
      const piece = buffer.subarray(0, count);
      hash?.update(piece);
      at += count;
      const isLast = at === digest.size;
      if (count < buffer.length || (isLast && hash !== undefined && hash.digest("hex") !== digest.hash)) {
        removeObject(path);
        throw new StillageError("corrupt", `${path} has other bytes than its name says; it is removed`, {
          hint: "pull the artifact again",
        });
      }
      yield piece;
    }
  }

  /** Whether it is there; then its bytes are in the room for the next blob. */
  private readWhole(digest: Digest, batches: BlobBatches): boolean {
    if (digest.function !== sha256) return false;
    if (digest.size === 0) return true;
    const path = objectPath(this.layout, digest);
    const bytes = readObject(path, batches.room(digest.size + 1), digest.size);
    if (bytes === undefined) return false;
    if (hashOf(sha256, bytes) === digest.hash) return true;
    removeObject(path);
    return false;
  }
}

interface OpenObject {
  readonly digest: Digest;
  readonly path: string;
  readonly fd: number;
  readonly offset: number;
  readonly room: ReturnType<typeof roomForPieces>;
}
