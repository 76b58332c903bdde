import { type Digest, isEmptyBlob, keyOfDigest, showDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { encodeEntry } from "../store/batch-entry.ts";
import type { BatchRead, Blob, BlobReader } from "../store/blob-store.ts";
import { type BlobSink, type BlobSource, maxSmallBytes, oneByOne } from "./blob-place.ts";

/** What views of artifacts need of a place: its blobs, and which of them are there. */
export type ReadableBlobs = BlobSource & Pick<BlobSink, "missing">;

/**
 * The blobs of a place as the views of artifacts (`src/artifact/`) read them. Small blobs come whole, each batch in one question; of larger ones one piece at a time is in
 * memory, and whoever reads them from their beginning to their end has them in one stream. Errors: those of the place; `unsupported` for a size that it cannot tell.
 */
export class PlaceReader implements BlobReader {
  private readonly blobs: ReadableBlobs;
  private readonly signal: AbortSignal;

  constructor(blobs: ReadableBlobs, signal: AbortSignal) {
    this.blobs = blobs;
    this.signal = signal;
  }

  async missing(digests: DigestList): Promise<number[]> {
    const all = Array.from({ length: digests.length }, (_, i) => digests.at(i));
    const absent = new Set((await this.blobs.missing(all, this.signal)).map(keyOfDigest));
    return all.flatMap((digest, i) => (absent.has(keyOfDigest(digest)) ? [i] : []));
  }

  async sizeOf(fn: DigestFunction, hash: string): Promise<number | undefined> {
    if (hash === fn.emptyHash) return 0;
    if (this.blobs.sizeOf === undefined) {
      throw new StillageError("unsupported", "what blobs are there cannot be asked here by their hashes alone");
    }
    return this.blobs.sizeOf(fn, hash);
  }

  async sizesOf(hashes: DigestList): Promise<Float64Array> {
    const sizes = new Float64Array(hashes.length);
    for (let i = 0; i < hashes.length; i++) {
      sizes[i] = (await this.sizeOf(hashes.function, hashes.at(i).hash)) ?? -1;
    }
    return sizes;
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    if (isEmptyBlob(digest)) return { digest, read: () => {}, close: () => {} };
    if (digest.size > maxSmallBytes) return StreamedBlob.open(this.blobs, digest, this.signal);
    const bytes = await this.whole(digest);
    if (bytes === undefined) return undefined;
    return {
      digest,
      read: (buffer, position) => buffer.set(bytes.subarray(position, position + buffer.length)),
      close: () => {},
    };
  }

  async readBatch(digests: DigestList): Promise<BatchRead> {
    const found = new Map<string, Uint8Array>();
    const small: Digest[] = [];
    for (let i = 0; i < digests.length; i++) {
      const digest = digests.at(i);
      if (isEmptyBlob(digest)) found.set(keyOfDigest(digest), new Uint8Array(0));
      else if (digest.size <= maxSmallBytes) small.push(digest);
      else {
        const bytes = await wholeStream(this.blobs, digest, this.signal);
        if (bytes !== undefined) found.set(keyOfDigest(digest), bytes);
      }
    }
    const take = oneByOne((digest, bytes) => void found.set(keyOfDigest(digest), bytes));
    if (small.length > 0) await this.blobs.readMany(small, take, this.signal);
    const parts: Uint8Array[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const bytes = found.get(keyOfDigest(digests.at(i)));
      if (bytes === undefined) missing.push(i);
      else parts.push(encodeEntry(digests, i, bytes));
    }
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  private async whole(digest: Digest): Promise<Uint8Array | undefined> {
    let whole: Uint8Array | undefined;
    const take = oneByOne((_, bytes) => {
      whole = bytes;
    });
    await this.blobs.readMany([digest], take, this.signal);
    return whole;
  }
}

/** A large blob that is a message, whole; `undefined` where it is not there. The caller bounds its size. */
export async function wholeStream(
  blobs: BlobSource,
  digest: Digest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(digest.size);
  let filled = 0;
  try {
    for await (const piece of blobs.read(digest, 0, signal)) {
      if (filled + piece.length > bytes.length) throw otherLength(digest);
      bytes.set(piece, filled);
      filled += piece.length;
    }
  } catch (error) {
    if (error instanceof StillageError && error.code === "not-found") return undefined;
    throw error;
  }
  if (filled < bytes.length) throw otherLength(digest);
  return bytes;
}

function otherLength(digest: Digest): StillageError {
  return new StillageError("corrupt", `${showDigest(digest)} came with another length`);
}

/** A blob that is read as it comes; a read that does not begin where the one before ended begins another stream. */
class StreamedBlob implements Blob {
  readonly digest: Digest;
  private readonly blobs: BlobSource;
  private readonly signal: AbortSignal;
  private stream: AsyncIterator<Uint8Array> | undefined;
  /** What has come and was not read yet, and where in the blob it begins. */
  private rest: Uint8Array = new Uint8Array(0);
  private at = 0;

  /** `undefined` where it is not there. */
  static async open(blobs: BlobSource, digest: Digest, signal: AbortSignal): Promise<StreamedBlob | undefined> {
    const blob = new StreamedBlob(blobs, digest, signal);
    try {
      await blob.fill(0);
      return blob;
    } catch (error) {
      blob.close();
      if (error instanceof StillageError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  private constructor(blobs: BlobSource, digest: Digest, signal: AbortSignal) {
    this.blobs = blobs;
    this.digest = digest;
    this.signal = signal;
  }

  async read(buffer: Uint8Array, position: number): Promise<void> {
    for (let filled = 0; filled < buffer.length; ) {
      await this.fill(position + filled);
      const taken = this.rest.subarray(0, buffer.length - filled);
      buffer.set(taken, filled);
      this.rest = this.rest.subarray(taken.length);
      filled += taken.length;
      this.at += taken.length;
    }
    // The end of the stream says whether all of it was right.
    if (this.at === this.digest.size && this.rest.length === 0) await this.finish();
  }

  close(): void {
    const { stream } = this;
    this.stream = undefined;
    void stream?.return?.().catch(() => {}); // nobody reads on
  }

  private async fill(position: number): Promise<void> {
    if (this.stream === undefined || position !== this.at) {
      this.close();
      this.stream = this.blobs.read(this.digest, position, this.signal)[Symbol.asyncIterator]();
      this.rest = new Uint8Array(0);
      this.at = position;
    }
    while (this.rest.length === 0) {
      const { done, value } = await this.stream.next();
      if (done) throw otherLength(this.digest);
      this.rest = value;
    }
  }

  private async finish(): Promise<void> {
    const { stream } = this;
    this.stream = undefined;
    if (stream === undefined) return;
    const { done } = await stream.next();
    if (!done) throw otherLength(this.digest);
  }
}
