import { setImmediate as breath } from "node:timers/promises";
import { type Digest, showDigest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import type { BlobStore, Upload } from "../store/blob-store.ts";
import type { ChunkLists } from "./chunk-lists.ts";
import { mayBeCut } from "./chunking.ts";
import { Slots } from "./slots.ts";
import type { Tenant } from "./tenant.ts";

/** Blobs that are put together at the same time, over all tenants. */
export const maxSplices = 4;

/** Read at once, and the memory of one splice. */
const pieceBytes = 1 << 20;

/** Opening a chunk takes about as long as reading this much. */
const openingBytes = 16 << 10;

/** What a client wants put together. */
export interface SpliceOrder {
  readonly blob: Digest;
  /** In their order, of the blob's function. */
  readonly chunks: DigestList;
  /** The client says that they were cut by FastCDC, with the parameters that it was told. */
  readonly cutByFastCdc: boolean;
}

/**
 * SpliceBlob (remote_execution.proto): a blob from chunks that are there. It goes the way of any upload, so a crash leaves what it leaves of
 * those: the whole blob, or nothing of it.
 */
export class Splices {
  private readonly lists: ChunkLists;
  private readonly slots = new Slots(maxSplices);

  constructor(lists: ChunkLists) {
    this.lists = lists;
  }

  /**
   * Resolves once the blob is there, verified and durable; at once where it was there before. Extends the life of the chunks. Errors: `invalid`
   * where the chunks are not the blob, `not-found` where one is missing; those of an upload.
   */
  async store(tenant: Tenant, order: SpliceOrder, signal: AbortSignal): Promise<void> {
    const { blob, chunks, cutByFastCdc } = order;
    checkSizes(blob, chunks);
    const { blobs } = tenant;
    const [absent] = await blobs.missing(chunks);
    const isThere = async (): Promise<boolean> => (await blobs.missing(DigestList.of(blob))).length === 0;
    if (await isThere()) return;
    if (absent !== undefined) notThere(chunks.at(absent), blob);
    await this.slots.run(async () => {
      signal.throwIfAborted();
      if (await isThere()) return;
      await splice(blobs, order, signal);
      // So the first who asks for its chunks gets those that are there. What was not verified here is nobody's list.
      if (cutByFastCdc && mayBeCut(chunks.sizes, chunks.length)) this.lists.set(tenant, blob, chunks);
    });
  }
}

function checkSizes(blob: Digest, { sizes, length }: DigestList): void {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += sizes[i] as number;
  if (sum === blob.size) return;
  throw new StillageError("invalid", `${length} chunks with ${sum} bytes together are not ${showDigest(blob)}`);
}

async function splice(blobs: BlobStore, { blob, chunks }: SpliceOrder, signal: AbortSignal): Promise<void> {
  const upload = await blobs.upload(blob);
  try {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, blob.size));
    let sinceBreath = 0;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks.at(i);
      await append(blobs, chunk, upload, piece);
      // Small chunks come from the page cache: nothing else would let other calls in between.
      sinceBreath += chunk.size + openingBytes;
      if (sinceBreath < pieceBytes) continue;
      sinceBreath = 0;
      await breath();
      signal.throwIfAborted();
    }
    await upload.finish();
  } finally {
    await upload.abort();
  }
}

async function append(blobs: BlobStore, digest: Digest, upload: Upload, piece: Uint8Array): Promise<void> {
  const chunk = await blobs.open(digest);
  if (chunk === undefined) notThere(digest, upload.digest);
  try {
    for (let at = 0; at < digest.size; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, digest.size - at));
      await chunk.read(part, at);
      await upload.write(part);
    }
  } finally {
    chunk.close();
  }
}

function notThere(chunk: Digest, blob: Digest): never {
  throw new StillageError("not-found", `the chunk ${showDigest(chunk)} of ${showDigest(blob)} is not in this cache`, {
    hint: "upload the chunks first",
  });
}
