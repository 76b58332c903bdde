import { create, toBinary } from "@bufbuild/protobuf";
import type { Splices } from "../../cache/splice.ts";
import {
  ChunkingFunction_Value,
  SpliceBlobResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Call, Reply } from "../../rpc/service.ts";
import { checkBlobSize } from "../blob-limit.ts";
import { reach } from "../rights.ts";
import { decodeSplice } from "../wire/chunks.ts";
import type { CasOptions } from "./cas.ts";

/** SpliceBlob, of chunks by any function: they only have to be the blob. Errors: `invalid`, `forbidden`, `not-found`, `unavailable`. */
export async function spliceBlob(
  request: Uint8Array,
  call: Call,
  { tenants, maxBlobBytes }: CasOptions,
  splices: Splices,
): Promise<Reply> {
  const { instance, blob, chunks, chunkingFunction } = decodeSplice(request);
  call.subject = blob.hash;
  const tenant = reach(tenants, call, instance, "push");
  checkBlobSize(blob.size, maxBlobBytes);
  const cutByFastCdc = chunkingFunction === ChunkingFunction_Value.FAST_CDC_2020;
  await splices.store(tenant, { blob, chunks, cutByFastCdc }, call.signal);
  const blobDigest = { hash: blob.hash, sizeBytes: BigInt(blob.size) };
  return { parts: [toBinary(SpliceBlobResponseSchema, create(SpliceBlobResponseSchema, { blobDigest }))] };
}
