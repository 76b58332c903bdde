import { decode } from "../../base/decode.ts";
import { parseDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { Splits } from "../../cache/split.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  ChunkingFunction_Value,
  SplitBlobRequestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Call, Reply } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { encodeSplit } from "../wire/chunks.ts";
import { namedFunction } from "../wire/digest-fields.ts";

/**
 * SplitBlob, by FastCDC 2020 whatever the client prefers, as the API allows. It is for who pulls, so it takes no right to push: the chunks that it
 * stores are pieces of what is here already, none of which the caller can choose. Errors: `invalid`, `not-found`, `unavailable`, `corrupt`.
 */
export async function splitBlob(request: Uint8Array, call: Call, tenants: Tenants, splits: Splits): Promise<Reply> {
  const { instanceName, blobDigest, digestFunction } = decode(SplitBlobRequestSchema, request);
  call.subject = blobDigest?.hash ?? "";
  const tenant = reach(tenants, call, instanceName, "pull");
  if (blobDigest === undefined) throw new StillageError("invalid", "blob_digest is missing");
  const blob = parseDigest(blobDigest.hash, blobDigest.sizeBytes, namedFunction(digestFunction));
  const chunks = await splits.chunksOf(tenant, blob, call.signal);
  return { parts: [encodeSplit(chunks, ChunkingFunction_Value.FAST_CDC_2020)] };
}
