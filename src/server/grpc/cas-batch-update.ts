import type { Digest } from "../../base/digest.ts";
import { asStillageError, StillageError } from "../../base/errors.ts";
import type { Call, Reply } from "../../rpc/service.ts";
import { statusCodeOf } from "../../rpc/status.ts";
import type { BlobStore } from "../../store/blob-store.ts";
import { checkBatchTotal } from "../batch-limit.ts";
import { checkBlobSize } from "../blob-limit.ts";
import { reach } from "../rights.ts";
import { type BatchUpdate, decodeBatchUpdate, type UpdateEntry } from "../wire/batch-update.ts";
import { type BlobStatus, encodeBlobStatus, encodeStored, noDigest } from "../wire/blob-status.ts";
import { decompress, identityCompressor, zstdCompressor } from "../zstd.ts";
import type { CasOptions } from "./cas.ts";

const statusField = 2;

/**
 * BatchUpdateBlobs: every blob has an answer of its own, given once it is durable. Errors of the whole call: `invalid`, `forbidden`,
 * `not-found` (the instance), and `unavailable`, which stands for a full cache: a client that is told so for a blob alone
 * (RESOURCE_EXHAUSTED) takes the push for done and announces an artifact that is not there.
 */
export async function updateBatch(request: Uint8Array, call: Call, options: CasOptions): Promise<Reply> {
  const update = decodeBatchUpdate(request, options.maxBlobBytes);
  const { blobs } = reach(options.tenants, call, update.instance, "push");
  checkBatchTotal(update.bytes, options.maxBatchBytes);
  const statuses = await storeAll(blobs, update, options.maxBlobBytes);
  if (statuses.size === 0) return { parts: [encodeStored(request, update.named)] };
  const parts: Uint8Array[] = [];
  for (let i = 0; i < update.named.length; i += 2) {
    const named = request.subarray(update.named[i], update.named[i + 1]);
    parts.push(encodeBlobStatus(named, statusField, statuses.get(i / 2)));
  }
  return { parts };
}

/** Gives the statuses of those that are not stored, by their positions, and throws where that is the whole call's. */
async function storeAll(
  blobs: BlobStore,
  { batch, positions, others }: BatchUpdate,
  maxBlobBytes: number | undefined,
): Promise<ReadonlyMap<number, BlobStatus>> {
  const statuses = new Map<number, BlobStatus>();
  const [failures, outcomes] = await Promise.all([
    blobs.putBatch(batch),
    Promise.allSettled(others.map((entry) => store(blobs, entry, maxBlobBytes))),
  ]);
  const refuse = (position: number, reason: unknown): void => {
    const error = asStillageError(reason);
    if (error.code === "unavailable") throw error;
    statuses.set(position, { code: statusCodeOf(error), message: error.message });
  };
  for (const [i, error] of failures) refuse(positions[i] as number, error);
  for (const [i, outcome] of outcomes.entries()) {
    const { position } = others[i] as UpdateEntry;
    if (outcome.status === "rejected") refuse(position, outcome.reason);
    else if (outcome.value !== undefined) statuses.set(position, outcome.value);
  }
  return statuses;
}

/** Gives a status for what cannot be stored as it came, and throws what goes wrong. */
async function store(
  blobs: BlobStore,
  entry: UpdateEntry,
  maxBlobBytes: number | undefined,
): Promise<BlobStatus | undefined> {
  const { digest } = entry;
  if (digest === undefined) return noDigest;
  checkBlobSize(digest.size, maxBlobBytes);
  await blobs.put(digest, await plainData(entry, digest));
  return undefined;
}

function plainData({ data, compressor }: UpdateEntry, digest: Digest): Uint8Array | Promise<Uint8Array> {
  if (compressor === identityCompressor) return data;
  if (compressor === zstdCompressor) return decompress(data, digest.size);
  throw new StillageError("invalid", `compressor ${compressor} is not served here; identity and zstd are`);
}
