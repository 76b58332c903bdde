import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StillageError } from "../../base/errors.ts";
import {
  type CacheCapabilities,
  DigestFunction_Value,
  GetCapabilitiesRequestSchema,
  ServerCapabilitiesSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { CallOptions, Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { withRetries } from "../connection/retries.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { brokenAnswer } from "./message-parts.ts";

/** What a server says of its storage. */
export interface StorageCapabilities {
  /** What a batch may come to as a whole; 0 for a server that sets no limit of its own. */
  readonly maxBatchBytes: number;
  /** Larger blobs are not taken; 0 for no limit. */
  readonly maxBlobBytes: number;
  /** Whether action results may be written, which servers say by who asks; no server says so of blobs. `undefined` where it does not say. */
  readonly updates: boolean | undefined;
}

/** Of a server that does not know the question: what BuildStream's reference server allows, 1 MiB for a batch. */
export const unknownCapabilities: StorageCapabilities = Object.freeze({
  maxBatchBytes: 1 << 20,
  maxBlobBytes: 0,
  updates: undefined,
});

/** Asks a server what its storage can do. Errors: those of `rpcFailure`; `unsupported` for a server that does not name blobs by SHA-256. */
export async function storageCapabilities(
  channel: Channel,
  spec: RemoteSpec,
  signal: AbortSignal,
  options: Pick<CallOptions, "timeoutMs" | "stallMs"> = {},
): Promise<StorageCapabilities> {
  const request = toBinary(
    GetCapabilitiesRequestSchema,
    create(GetCapabilitiesRequestSchema, { instanceName: spec.instanceName }),
  );
  const ask = async (): Promise<StorageCapabilities> => {
    try {
      const method = "build.bazel.remote.execution.v2.Capabilities/GetCapabilities";
      return parseCapabilities(await channel.unary(method, request, { ...options, signal }), spec.name);
    } catch (error) {
      if (error instanceof RpcError && error.code === grpcStatus.unimplemented && error.httpStatus === undefined) {
        return unknownCapabilities;
      }
      throw error;
    }
  };
  return await withRetries(ask, { spec, doing: "asking what it can do", signal });
}

function parseCapabilities(response: Uint8Array, name: string): StorageCapabilities {
  let cache: CacheCapabilities | undefined;
  try {
    cache = fromBinary(ServerCapabilitiesSchema, response).cacheCapabilities;
  } catch (cause) {
    throw brokenAnswer("its capabilities cannot be read", cause);
  }
  if (cache === undefined || !cache.digestFunctions.includes(DigestFunction_Value.SHA256)) {
    throw new StillageError("unsupported", `${name} has no storage for blobs that are named by SHA-256`, {
      hint: "it cannot be a cache of BuildStream",
    });
  }
  return {
    maxBatchBytes: sizeOf(cache.maxBatchTotalSizeBytes),
    maxBlobBytes: sizeOf(cache.maxCasBlobSizeBytes),
    updates: cache.actionCacheUpdateCapabilities?.updateEnabled,
  };
}

/** Negative ones, which mean nothing, are as none. */
const sizeOf = (value: bigint): number => (value > 0n ? Number(value) : 0);
