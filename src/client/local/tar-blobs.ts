import { type Digest, emptyDigest, isEmptyBlob, keyOfDigest, showDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf, runningHash } from "../../base/hash.ts";
import { Slices } from "../../base/slices.ts";
import { readFully } from "../../store/disk/file-io.ts";
import { BlobBatches } from "../blob-batches.ts";
import type { BlobSink, BlobSource, PieceUse, TakeBatch, WholeBlob } from "../blob-place.ts";
import { cacheFailure, checkSignal } from "./cache-failure.ts";
import { different } from "./partial-file.ts";
import { pieceBytes, roomForPieces } from "./piece-room.ts";
import type { Spool } from "./spool.ts";
import { type Extent, readFullySync } from "./tar-contents.ts";
import { TrailingWriter } from "./trailing-writer.ts";

/** Pieces of a large blob. */

export interface TarBlobsParts {
  readonly path: string;
  readonly objects: Map<string, Extent>;
  readonly spool: Spool;
  /** Whether programs that unpack the archive look for the empty blob, which the others make themselves. */
  readonly needsEmpty: boolean;
}

/** The blobs of one generation in an archive. One of another size than its digest says is not there. */
export class TarBlobs implements BlobSource, BlobSink {
  readonly borrows = true;
  private readonly parts: TarBlobsParts;
  /** Room of blobs that broke off: whoever begins anew has it. */
  private readonly unfinished = new Map<string, Extent>();

  constructor(parts: TarBlobsParts) {
    this.parts = parts;
  }

  /** Errors: `corrupt`. */
  async readMany(digests: readonly Digest[], take: TakeBatch, signal: AbortSignal): Promise<Digest[]> {
    const missing: Digest[] = [];
    const slices = new Slices();
    const batches = new BlobBatches(digests, take);
    for (const digest of digests) {
      if (slices.over) {
        await slices.rest();
        checkSignal(signal);
      }
      const extent = this.extentOf(digest);
      if (extent === undefined && !isEmptyBlob(digest)) {
        missing.push(digest);
        continue;
      }
      if (batches.isFull(digest.size)) await batches.give();
      const bytes = batches.room(digest.size);
      try {
        if (extent !== undefined) this.fill(bytes, extent);
        if (hashOf(sha256, bytes) !== digest.hash) throw this.damaged(digest);
      } catch (error) {
        await batches.give(); // those before it are all right
        throw error;
      }
      batches.add(digest);
    }
    await batches.give();
    return missing;
  }

  async *read(digest: Digest, offset: number, signal: AbortSignal, use?: PieceUse): AsyncGenerator<Uint8Array> {
    if (isEmptyBlob(digest)) return;
    const extent = this.extentOf(digest);
    if (extent === undefined)
      throw new StillageError("not-found", `${showDigest(digest)} is not in ${this.parts.path}`);
    const hash = offset === 0 ? runningHash(sha256) : undefined;
    const room = roomForPieces(use, digest.size - offset);
    for (let at = offset; at < digest.size; ) {
      checkSignal(signal);
      const wanted = room(digest.size - at);
      const count = await readFully(extent.fd, wanted, extent.offset + at).catch((error: unknown) => {
        throw cacheFailure(error, `reading ${this.parts.path}`);
      });
      const piece = wanted.subarray(0, count);
      hash?.update(piece);
      at += count;
      const isWrong = at === digest.size && hash !== undefined && hash.digest("hex") !== digest.hash;
      if (count < wanted.length || isWrong) throw this.damaged(digest);
      yield piece;
    }
  }

  async missing(digests: readonly Digest[], signal: AbortSignal): Promise<Digest[]> {
    checkSignal(signal);
    const missing = digests.filter((digest) => !isEmptyBlob(digest) && this.extentOf(digest) === undefined);
    return [...new Map(missing.map((digest) => [keyOfDigest(digest), digest])).values()];
  }

  async writeMany(blobs: readonly WholeBlob[], signal: AbortSignal, memory?: ArrayBuffer): Promise<void> {
    const slices = new Slices();
    for (const { digest, bytes } of blobs) {
      if (slices.over) {
        await slices.rest();
        checkSignal(signal);
      }
      checkFunction(digest);
      // What lies in the memory of a batch a source has verified.
      const isOther = memory === undefined && hashOf(sha256, bytes) !== digest.hash;
      if (isOther || bytes.length !== digest.size) throw different(digest);
      if (!isEmptyBlob(digest)) this.put(digest, this.parts.spool.put(bytes));
    }
  }

  async write(
    digest: Digest,
    content: (offset: number) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    checkFunction(digest);
    if (isEmptyBlob(digest)) return;
    const { spool } = this.parts;
    const failed = (error: unknown): never => {
      throw spool.failure(error);
    };
    const extent = this.unfinished.get(digest.hash) ?? spool.reserve(digest.size);
    this.unfinished.delete(digest.hash);
    const out = new TrailingWriter(extent.fd, extent.offset, pieceBytes);
    const end = extent.offset + extent.size;
    try {
      for await (const bytes of content(0)) {
        checkSignal(signal);
        if (out.end + bytes.length > end) throw different(digest);
        await out.add(bytes).catch(failed);
      }
      if (out.end < end) throw new StillageError("unavailable", `${showDigest(digest)} broke off`);
      await out.flush().catch(failed);
    } catch (error) {
      await out.rest();
      this.unfinished.set(digest.hash, extent);
      throw error;
    }
    this.put(digest, extent);
  }

  /** Nothing is there for good before the archive is. */
  async flush(): Promise<void> {}

  private put(digest: Digest, extent: Extent): void {
    const { objects, spool, needsEmpty } = this.parts;
    objects.set(digest.hash, extent);
    const empty = emptyDigest(sha256).hash;
    if (needsEmpty && !objects.has(empty)) objects.set(empty, spool.reserve(0));
  }

  private extentOf(digest: Digest): Extent | undefined {
    const extent = digest.function === sha256 ? this.parts.objects.get(digest.hash) : undefined;
    return extent?.size === digest.size ? extent : undefined;
  }

  private fill(bytes: Uint8Array, extent: Extent): void {
    try {
      readFullySync(extent.fd, bytes, extent.offset);
    } catch (error) {
      throw cacheFailure(error, `reading ${this.parts.path}`);
    }
  }

  private damaged(digest: Digest): StillageError {
    return new StillageError("corrupt", `${this.parts.path} has other bytes for ${showDigest(digest)}`, {
      hint: "the archive is damaged: make it anew",
    });
  }
}

function checkFunction(digest: Digest): void {
  if (digest.function === sha256) return;
  throw new StillageError("unsupported", `BuildStream's cache has no blobs by ${digest.function.name}`);
}
