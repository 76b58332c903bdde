import { zstdDecompressSync } from "node:zlib";
import {
  type BatchReadBlobsResponse_Response,
  Compressor_Value,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { type DigestInit, emptyBlob, newBlob, newText, upload } from "../support/blobs.ts";
import { expectBytes, expectEntry, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "remote_execution.proto, BatchReadBlobs";

type Entries = Map<string, BatchReadBlobsResponse_Response>;

async function read(
  server: Server,
  digests: DigestInit[],
  acceptableCompressors: Compressor_Value[] = [],
): Promise<Entries> {
  const call = server.cas.batchReadBlobs({ instanceName: server.instance, digests, acceptableCompressors });
  const { responses } = await expectOk(call, "BatchReadBlobs");
  return new Map(responses.map((each) => [each.digest?.hash ?? "", each]));
}

function expectData(entries: Entries, blob: { digest: DigestInit; data: Uint8Array }, what: string): void {
  const entry = entries.get(blob.digest.hash);
  if (entry === undefined) throw new Error(`${what}: no response`);
  expectEntry(entry.status, "ok", what);
  const { compressor, data } = entry;
  expectTrue(compressor === Compressor_Value.IDENTITY || compressor === Compressor_Value.ZSTD, `${what}: compressor`);
  expectBytes(compressor === Compressor_Value.ZSTD ? zstdDecompressSync(data) : data, blob.data, what);
}

export const batchReadCases: readonly Case[] = [
  {
    id: "batch-read/round-trip",
    title: "blobs are read back, each with its digest",
    source,
    async run(server) {
      const blobs = [newBlob(1), newBlob(5000), newBlob(100_000)];
      await upload(server, server.instance, blobs);
      const entries = await read(
        server,
        blobs.map(({ digest }) => digest),
      );
      for (const blob of blobs) {
        expectData(entries, blob, "a blob");
        expectEqual(entries.get(blob.digest.hash)?.digest?.sizeBytes, blob.digest.sizeBytes, "size in the response");
      }
    },
  },
  {
    id: "batch-read/absent",
    title: "an absent blob is NOT_FOUND, alone",
    source: `${source}; FAILED_PRECONDITION is for Execute`,
    async run(server) {
      const [there, absent] = [newBlob(), newBlob()];
      await upload(server, server.instance, [there]);
      const entries = await read(server, [absent.digest, there.digest]);
      expectData(entries, there, "the blob that is there");
      expectEntry(entries.get(absent.digest.hash)?.status, "notFound", "the absent blob");
    },
  },
  {
    id: "batch-read/other-size",
    title: "a known hash with another size is NOT_FOUND",
    source: "remote_execution.proto, Digest: hash and size",
    async run(server) {
      const { digest, data } = newBlob();
      await upload(server, server.instance, [{ digest, data }]);
      const entries = await read(server, [{ hash: digest.hash, sizeBytes: 99n }]);
      expectEntry(entries.get(digest.hash)?.status, "notFound", "the other size");
    },
  },
  {
    id: "batch-read/empty-blob",
    title: "the empty blob is always there",
    source,
    async run(server) {
      const there = newBlob();
      await upload(server, server.instance, [there]);
      const entries = await read(server, [emptyBlob.digest, there.digest]);
      expectData(entries, emptyBlob, "the empty blob");
      expectData(entries, there, "the blob beside it");
    },
  },
  {
    id: "batch-read/duplicates",
    title: "a digest that is asked for twice is answered",
    source,
    async run(server) {
      const [there, absent] = [newBlob(), newBlob()];
      await upload(server, server.instance, [there]);
      const entries = await read(server, [there.digest, absent.digest, there.digest, absent.digest]);
      expectData(entries, there, "the blob that is there");
      expectEntry(entries.get(absent.digest.hash)?.status, "notFound", "the absent blob");
    },
  },
  {
    id: "batch-read/malformed-digest",
    title: "a malformed digest fails its own entry alone",
    source: `${source}: a status per blob`,
    async run(server) {
      const there = newBlob();
      await upload(server, server.instance, [there]);
      const entries = await read(server, [{ hash: "no hash", sizeBytes: 3n }, there.digest]);
      expectData(entries, there, "the blob beside it");
      expectEntry(entries.get("no hash")?.status, "invalidArgument", "the malformed digest");
    },
  },
  {
    id: "batch-read/nothing",
    title: "a batch of nothing succeeds",
    source,
    async run(server) {
      expectEqual((await read(server, [])).size, 0, "responses");
    },
  },
  {
    id: "batch-read/at-the-limit",
    title: "a batch of just the limit, as casd counts it, fits a gRPC message",
    source: "casd: the sum of size + 256 is at most the limit; gRPC clients take 4 MiB",
    async run(server) {
      const { maxBatchTotalSizeBytes } = await cacheCapabilities(server, server.instance);
      const limit = Math.min(Number(maxBatchTotalSizeBytes) || Number.POSITIVE_INFINITY, (4 << 20) - (64 << 10));
      const size = Math.floor(limit / 4) - 256;
      const blobs = Array.from({ length: 4 }, () => newBlob(size));
      await upload(server, server.instance, blobs);
      const entries = await read(
        server,
        blobs.map(({ digest }) => digest),
      );
      for (const blob of blobs) expectData(entries, blob, "a blob");
    },
  },
  {
    id: "batch-read/many",
    title: "thousands of tiny blobs in one batch",
    source: "casd: limit / 256 entries in a batch",
    async run(server) {
      const blobs = Array.from({ length: 4000 }, () => newBlob(8));
      await upload(server, server.instance, blobs);
      const entries = await read(
        server,
        blobs.map(({ digest }) => digest),
      );
      expectEqual(entries.size, blobs.length, "responses");
      for (const blob of blobs) expectData(entries, blob, "a blob");
    },
  },
  {
    id: "batch-read/over-the-limit",
    title: "a batch over the limit fails as a whole",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { maxBatchTotalSizeBytes: limit } = await cacheCapabilities(server, server.instance);
      expectTrue(limit > 0n, "no limit is advertised");
      const digests = [{ ...newBlob().digest, sizeBytes: limit }, newBlob(1).digest];
      const call = server.cas.batchReadBlobs({ instanceName: server.instance, digests });
      await expectStatus(call, "invalidArgument", "BatchReadBlobs");
    },
  },
  {
    id: "batch-read/plain-unless-asked",
    title: "nothing is compressed for a client that does not accept it",
    source: "remote_execution.proto, BatchReadBlobsRequest.acceptable_compressors: IDENTITY always is",
    async run(server) {
      const text = newText(50_000);
      await upload(server, server.instance, [text]);
      for (const accepted of [[], [Compressor_Value.IDENTITY], [Compressor_Value.BROTLI]]) {
        const entries = await read(server, [text.digest], accepted);
        const compressor = entries.get(text.digest.hash)?.compressor;
        expectEqual(compressor, Compressor_Value.IDENTITY, `compressor, accepting [${accepted}]`);
        expectData(entries, text, "the blob");
      }
    },
  },
  {
    id: "batch-read/zstd",
    title: "a client that accepts zstd gets what it can read, and text smaller",
    source: "remote_execution.proto, BatchReadBlobsRequest.acceptable_compressors",
    async run(server) {
      const blobs = [newText(50_000), newBlob(10), newBlob(50_000), emptyBlob];
      await upload(server, server.instance, blobs);
      const digests = blobs.map(({ digest }) => digest);
      const entries = await read(server, [...digests, newBlob().digest], [Compressor_Value.ZSTD]);
      expectEqual(entries.size, blobs.length + 1, "responses");
      for (const blob of blobs) expectData(entries, blob, "a blob");
      const text = entries.get(digests[0]?.hash ?? "");
      expectEqual(text?.compressor, Compressor_Value.ZSTD, "compressor of the text");
    },
  },
];
