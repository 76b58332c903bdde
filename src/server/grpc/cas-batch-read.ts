import { create, toBinary } from "@bufbuild/protobuf";
import { StillageError } from "../../base/errors.ts";
import { type MaybePromise, then } from "../../base/maybe-promise.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  BatchReadBlobsResponseSchema,
  Compressor_Value,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Call, Reply } from "../../rpc/service.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { BatchRead, BlobStore } from "../../store/blob-store.ts";
import { checkBatchTotal } from "../batch-limit.ts";
import { reach } from "../rights.ts";
import { type BatchReadRequest, decodeBatchRead } from "../wire/batch-read.ts";
import { encodeBlobStatus, noDigest } from "../wire/blob-status.ts";
import { compress, worthCompressing, zstdCompressor } from "../zstd.ts";

const statusField = 3;

/** What gRPC clients take in one message unless they are told otherwise. */
const clientMessageBytes = 4 << 20;

/** A response entry's bytes besides its data and its hash: tags, lengths, the size. */
const entryOverheadBytes = 32;

/** A response entry's bytes besides a malformed digest: tags, lengths, the status. */
const malformedBytes = 16 + noDigest.message.length;

const absent = { code: grpcStatus.notFound, message: "not in this cache" };
const noRoom = {
  code: grpcStatus.resourceExhausted,
  message: "too much for one message; ask for this blob in another call",
};

/** The longest answer, in bytes, where a batch may have `maxBytes`. */
export function maxBatchReply(maxBytes: number): number {
  return Math.max(maxBytes, clientMessageBytes);
}

/** BatchReadBlobs: every digest has an answer of its own. Errors of the whole call: `invalid`, `not-found` (the instance). */
export function readBatch(request: Uint8Array, call: Call, tenants: Tenants, maxBytes: number): MaybePromise<Reply> {
  const asked = decodeBatchRead(request);
  const { blobs } = reach(tenants, call, asked.instance, "pull");
  checkBatchTotal(sumOfSizes(asked), maxBytes);
  const cut = cutToFit(asked, maxBatchReply(maxBytes));
  const refused = asked.malformed.map((digest) => encodeBlobStatus(digest, statusField, noDigest));
  for (const digest of cut) refused.push(encodeBlobStatus(digest, statusField, noRoom));
  if (asked.compressors.has(zstdCompressor)) return readCompressed(asked, call, blobs, refused);
  return then(blobs.readBatch(asked.digests), (read) => reply(asked, call, read, refused));
}

function sumOfSizes({ digests }: BatchReadRequest): number {
  let total = 0;
  for (let i = 0; i < digests.length; i++) total += digests.sizes[i] as number;
  return total;
}

/**
 * Shortens the list to what one message holds beside the answers to what is malformed, and returns the encoded digests that were cut off.
 * Errors: `invalid` where those answers alone are too much.
 */
function cutToFit({ digests, encoded, malformed }: BatchReadRequest, room: number): readonly Uint8Array[] {
  let bytes = 0;
  for (const digest of malformed) bytes += digest.length + malformedBytes;
  if (bytes > room) {
    throw new StillageError("invalid", `the batch has ${malformed.length} malformed digests: too many for an answer`);
  }
  for (let i = 0; i < digests.length; i++) {
    bytes += (digests.sizes[i] as number) + digests.function.hexLength + entryOverheadBytes;
    if (bytes <= room) continue;
    digests.length = i;
    return encoded.slice(i);
  }
  return [];
}

function reply(asked: BatchReadRequest, call: Call, read: BatchRead, refused: readonly Uint8Array[]): Reply {
  call.absent = read.missing.length;
  call.found = asked.digests.length - call.absent;
  const sent = () => read.release();
  if (read.missing.length === 0 && refused.length === 0) return { parts: read.parts, sent };
  const missing = read.missing.map((i) => encodeBlobStatus(asked.encoded[i] as Uint8Array, statusField, absent));
  return { parts: [...read.parts, ...missing, ...refused], sent };
}

async function readCompressed(
  asked: BatchReadRequest,
  call: Call,
  blobs: BlobStore,
  refused: readonly Uint8Array[],
): Promise<Reply> {
  const parts: Uint8Array[] = [...refused];
  for (let i = 0; i < asked.digests.length; i++) {
    const blob = await blobs.open(asked.digests.at(i));
    if (blob === undefined) {
      call.absent++;
      parts.push(encodeBlobStatus(asked.encoded[i] as Uint8Array, statusField, absent));
      continue;
    }
    call.found++;
    const { hash, size } = blob.digest;
    const plain = new Uint8Array(size);
    try {
      await blob.read(plain, 0);
    } finally {
      blob.close();
    }
    const packed = size < worthCompressing ? plain : await compress(plain);
    const smaller = packed.length < size;
    const response = {
      digest: { hash, sizeBytes: BigInt(size) },
      data: smaller ? packed : plain,
      compressor: smaller ? Compressor_Value.ZSTD : Compressor_Value.IDENTITY,
    };
    // A message's encoding is the sum of its fields': the answer is joined from responses of one entry each.
    parts.push(toBinary(BatchReadBlobsResponseSchema, create(BatchReadBlobsResponseSchema, { responses: [response] })));
  }
  return { parts };
}
