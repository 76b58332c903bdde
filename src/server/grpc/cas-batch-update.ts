import type { Digest } from "../../base/digest.ts";
import { asStillageError, StillageError } from "../../base/errors.ts";
import type { Call, Reply } from "../../rpc/service.ts";
import { statusCodeOf } from "../../rpc/status.ts";
import type { BlobStore } from "../../store/blob-store.ts";
import { checkBatchTotal } from "../batch-limit.ts";
import { checkBlobSize } from "../blob-limit.ts";
import { reach } from "../rights.ts";
import { decodeBatchUpdate, type UpdateEntry } from "../wire/batch-update.ts";
import { type BlobStatus, encodeBlobStatus, noDigest } from "../wire/blob-status.ts";
import { decompress, identityCompressor, zstdCompressor } from "../zstd.ts";
import type { CasOptions } from "./cas.ts";

const statusField = 2;

/**
 * BatchUpdateBlobs: every blob has an answer of its own, given once it is durable. Errors of the whole call: `invalid`, `forbidden`,
 * `not-found` (the instance), and `unavailable`, which stands for a full cache: a client that is told so for a blob alone
 * (RESOURCE_EXHAUSTED) takes the push for done and announces an artifact that is not there.
 */
export async function updateBatch(request: Uint8Array, call: Call, options: CasOptions): Promise<Reply> {
  const { instance, entries } = decodeBatchUpdate(request);
  const { blobs } = reach(options.tenants, call, instance, "push");
  checkBatchTotal(sumOfSizes(entries), options.maxBatchBytes);
  const outcomes = await Promise.allSettled(entries.map((entry) => store(blobs, entry, options.maxBlobBytes)));
  const parts = outcomes.map((outcome, i) => {
    const { encoded } = entries[i] as UpdateEntry;
    if (outcome.status === "fulfilled") return encodeBlobStatus(encoded, statusField, outcome.value);
    const error = asStillageError(outcome.reason);
    if (error.code === "unavailable") throw error;
    return encodeBlobStatus(encoded, statusField, { code: statusCodeOf(error), message: error.message });
  });
  return { parts };
}

/** The uncompressed bytes: what a digest states where the data is compressed, and what came where it is not. */
function sumOfSizes(entries: readonly UpdateEntry[]): number {
  let total = 0;
  for (const { digest, data, compressor } of entries) {
    total += compressor === identityCompressor || digest === undefined ? data.length : digest.size;
  }
  return total;
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
