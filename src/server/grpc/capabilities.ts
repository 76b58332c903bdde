import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { digestFunctions } from "../../base/digest-function.ts";
import { averageChunkBytes } from "../../cache/chunking.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  Compressor_Value,
  type DigestFunction_Value,
  GetCapabilitiesRequestSchema,
  ServerCapabilitiesSchema,
  SymlinkAbsolutePathStrategy_Value,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Service } from "../../rpc/service.ts";
import { reach } from "../rights.ts";

export interface CapabilitiesOptions {
  readonly tenants: Tenants;
  readonly maxBatchBytes: number;
  /** `undefined`: no limit. */
  readonly maxBlobBytes: number | undefined;
  /** An index alone has no blobs. */
  readonly part: "all" | "index" | "storage";
}

/** build.bazel.remote.execution.v2.Capabilities: what this instance does for this caller. There is no execution. */
export function capabilitiesService({ tenants, maxBatchBytes, maxBlobBytes, part }: CapabilitiesOptions): Service {
  const chunks = part !== "index";
  const encoded = (updateEnabled: boolean): Uint8Array =>
    toBinary(
      ServerCapabilitiesSchema,
      create(ServerCapabilitiesSchema, {
        cacheCapabilities: {
          digestFunctions: digestFunctions.map((fn): DigestFunction_Value => fn.value),
          actionCacheUpdateCapabilities: { updateEnabled },
          maxBatchTotalSizeBytes: BigInt(maxBatchBytes),
          symlinkAbsolutePathStrategy: SymlinkAbsolutePathStrategy_Value.ALLOWED,
          supportedCompressors: [Compressor_Value.ZSTD],
          supportedBatchUpdateCompressors: [Compressor_Value.ZSTD],
          maxCasBlobSizeBytes: BigInt(maxBlobBytes ?? 0),
          splitBlobSupport: chunks,
          spliceBlobSupport: chunks,
          ...(chunks && { fastCdc2020Params: { avgChunkSizeBytes: BigInt(averageChunkBytes) } }),
        },
        deprecatedApiVersion: { major: 2, minor: 0 },
        lowApiVersion: { major: 2, minor: 0 },
        highApiVersion: { major: 2, minor: 3 },
      }),
    );
  const pushing = { parts: [encoded(true)] };
  const pulling = { parts: [encoded(false)] };
  return {
    name: "build.bazel.remote.execution.v2.Capabilities",
    methods: {
      GetCapabilities: {
        kind: "unary",
        handle: (request, call) => {
          const { instanceName } = decode(GetCapabilitiesRequestSchema, request);
          reach(tenants, call, instanceName, "pull");
          return call.caller.may("push", instanceName) ? pushing : pulling;
        },
      },
    },
  };
}
