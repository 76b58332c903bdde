import {
  type CacheCapabilities,
  Compressor_Value,
  DigestFunction_Value,
  SymlinkAbsolutePathStrategy_Value,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { newBlob } from "../support/blobs.ts";
import { writeBlob } from "../support/byte-stream.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";

const source = "remote_execution.proto, ServerCapabilities";

export async function cacheCapabilities(endpoint: Endpoint, instanceName: string): Promise<CacheCapabilities> {
  const call = endpoint.capabilities.getCapabilities({ instanceName });
  const { cacheCapabilities } = await expectOk(call, "GetCapabilities");
  if (cacheCapabilities === undefined) throw new Error("GetCapabilities says nothing of a cache");
  return cacheCapabilities;
}

const ofServer = (server: Server): Promise<CacheCapabilities> => cacheCapabilities(server, server.instance);

/** A function that clients in use ask for, and refuse to start without. */
const functionCase = (name: "SHA256" | "SHA1" | "SHA384" | "SHA512" | "BLAKE3"): Case => ({
  id: `capabilities/${name.toLowerCase()}`,
  title: `${name} is advertised`,
  source: `${source}; BuildStream and Bazel stop where their function is absent`,
  async run(server) {
    const { digestFunctions } = await ofServer(server);
    expectTrue(digestFunctions.includes(DigestFunction_Value[name]), `${name} is not advertised`);
  },
});

export const capabilitiesCases: readonly Case[] = [
  functionCase("SHA256"),
  functionCase("SHA1"),
  functionCase("SHA384"),
  functionCase("SHA512"),
  functionCase("BLAKE3"),
  {
    id: "capabilities/no-execution",
    title: "a cache has no execution_capabilities",
    source,
    async run(server) {
      const { instance: instanceName } = server;
      const answer = await expectOk(server.capabilities.getCapabilities({ instanceName }), "GetCapabilities");
      expectEqual(answer.executionCapabilities, undefined, "execution_capabilities");
    },
  },
  {
    id: "capabilities/versions",
    title: "version 2.0 is in the range of versions",
    source,
    async run(server) {
      const { instance: instanceName } = server;
      const answer = await expectOk(server.capabilities.getCapabilities({ instanceName }), "GetCapabilities");
      const { lowApiVersion: low, highApiVersion: high } = answer;
      expectEqual(`${low?.major}.${low?.minor}`, "2.0", "low_api_version");
      expectEqual(high?.major, 2, "major of high_api_version");
    },
  },
  {
    id: "capabilities/batch-limit",
    title: "max_batch_total_size_bytes is a number that fits a gRPC message",
    source: "remote_execution.proto, CacheCapabilities; 0 leaves clients with the 4 MiB of gRPC",
    async run(server) {
      const { maxBatchTotalSizeBytes: limit } = await ofServer(server);
      expectTrue(limit > 0n, "max_batch_total_size_bytes is 0");
      expectTrue(limit <= 4n << 20n, "max_batch_total_size_bytes is above 4 MiB");
    },
  },
  {
    id: "capabilities/update-enabled",
    title: "a caller who may write is told so",
    source: "remote_execution.proto, ActionCacheUpdateCapabilities; Bazel before 6 stops otherwise",
    async run(server) {
      const { actionCacheUpdateCapabilities } = await ofServer(server);
      expectEqual(actionCacheUpdateCapabilities?.updateEnabled, true, "update_enabled");
    },
  },
  {
    id: "capabilities/compressors",
    title: "zstd is advertised for streams and batches",
    source: "remote_execution.proto, CacheCapabilities.supported_compressors; Bazel --remote_cache_compression",
    async run(server) {
      const { supportedCompressors, supportedBatchUpdateCompressors } = await ofServer(server);
      expectTrue(supportedCompressors.includes(Compressor_Value.ZSTD), "zstd is not in supported_compressors");
      expectTrue(
        supportedBatchUpdateCompressors.includes(Compressor_Value.ZSTD),
        "zstd is not in supported_batch_update_compressors",
      );
    },
  },
  {
    id: "capabilities/symlinks",
    title: "the symlink strategy is said",
    source: "remote_execution.proto, SymlinkAbsolutePathStrategy: UNKNOWN is invalid",
    async run(server) {
      const { symlinkAbsolutePathStrategy: strategy } = await ofServer(server);
      expectTrue(strategy !== SymlinkAbsolutePathStrategy_Value.UNKNOWN, "symlink_absolute_path_strategy is UNKNOWN");
    },
  },
  {
    id: "capabilities/split-as-advertised",
    title: "SplitBlob is served as split_blob_support says",
    source: "remote_execution.proto, CacheCapabilities.split_blob_support",
    async run(server) {
      const { instance: instanceName } = server;
      const { splitBlobSupport } = await ofServer(server);
      const call = server.cas.splitBlob({ instanceName, blobDigest: newBlob().digest });
      await expectStatus(call, splitBlobSupport ? "notFound" : "unimplemented", "SplitBlob of an absent blob");
    },
  },
  {
    id: "capabilities/splice-as-advertised",
    title: "SpliceBlob is served as splice_blob_support says",
    source: "remote_execution.proto, CacheCapabilities.splice_blob_support",
    async run(server) {
      const { instance: instanceName } = server;
      const { spliceBlobSupport } = await ofServer(server);
      const request = { instanceName, blobDigest: newBlob(200).digest, chunkDigests: [newBlob(200).digest] };
      const expected = spliceBlobSupport ? "notFound" : "unimplemented";
      await expectStatus(server.cas.spliceBlob(request), expected, "SpliceBlob of absent chunks");
    },
  },
  {
    id: "capabilities/max-blob-size",
    title: "a blob above max_cas_blob_size_bytes is refused",
    source: "remote_execution.proto, CacheCapabilities.max_cas_blob_size_bytes",
    async run(server) {
      const { maxCasBlobSizeBytes: limit } = await ofServer(server);
      if (limit === 0n) return;
      const { digest, data } = newBlob();
      const large = { digest: { ...digest, sizeBytes: limit + 1n }, data };
      await expectStatus(writeBlob(server, server.instance, large), "invalidArgument", "Write above the limit");
    },
  },
];
