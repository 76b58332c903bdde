import { blake3 } from "../../../src/base/digest-function.ts";
import { ChunkingFunction_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { emptyBlob, missing, newBlob, showDigest } from "../support/blobs.ts";
import { chunksOf, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { cutBlob, readChunks, unless } from "../support/chunks.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "remote_execution.proto, ContentAddressableStorage.SplitBlob";
const lacks = unless("SplitBlob", ({ splitBlobSupport }) => splitBlobSupport);
const lacksFastCdc = unless("FastCDC", (each) => each.splitBlobSupport && each.fastCdc2020Params);
const lacksBlake3 = unless("SplitBlob and BLAKE3", (each) => {
  return each.splitBlobSupport && each.digestFunctions.includes(blake3.value);
});

/** Some ten chunks of the size that is recommended. */
const largeBytes = 6 << 20;

export const splitCases: readonly Case[] = [
  {
    id: "split/chunks-are-the-blob",
    title: "the chunks are there, and one after the other they are the blob",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const blob = newBlob(largeBytes);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const { chunkDigests } = await expectOk(cas.splitBlob({ instanceName, blobDigest: blob.digest }), "SplitBlob");
      expectTrue(chunkDigests.length > 1, "a blob of 6 MiB is one chunk");
      expectEqual((await missing(server, instanceName, chunkDigests)).length, 0, "missing chunks");
      expectBytes(await readChunks(server, chunkDigests), blob.data, "the chunks");
    },
  },
  {
    id: "split/fast-cdc",
    title: "the chunks are those of FastCDC 2020 with the parameters advertised",
    source: "remote_execution.proto, FastCdc2020Params",
    lacks: lacksFastCdc,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const { fastCdc2020Params } = await cacheCapabilities(server, instanceName);
      const average = Number(fastCdc2020Params?.avgChunkSizeBytes);
      expectTrue(average >= 1 << 10 && average <= 1 << 20, "avg_chunk_size_bytes is out of range");
      expectEqual(fastCdc2020Params?.seed, 0, "seed");
      const blob = newBlob(average * 12 + 1);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const chunkingFunction = ChunkingFunction_Value.FAST_CDC_2020;
      const call = cas.splitBlob({ instanceName, blobDigest: blob.digest, chunkingFunction });
      const answer = await expectOk(call, "SplitBlob");
      expectEqual(answer.chunkingFunction, chunkingFunction, "chunking_function");
      const expected = cutBlob(blob, average).map(({ digest }) => showDigest(digest));
      const found = answer.chunkDigests.map(showDigest);
      expectTrue(found.join() === expected.join(), "the blob is not cut where FastCDC cuts it");
    },
  },
  {
    id: "split/again",
    title: "the same blob has the same chunks, for two who ask at once and for one who asks later",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const blob = newBlob(largeBytes);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const ask = () => expectOk(cas.splitBlob({ instanceName, blobDigest: blob.digest }), "SplitBlob");
      const answers = [...(await Promise.all([ask(), ask()])), await ask()];
      const lists = answers.map(({ chunkDigests }) => chunkDigests.map(showDigest).join());
      expectEqual(new Set(lists).size, 1, "different lists");
    },
  },
  {
    id: "split/any-function",
    title: "whatever chunking function the client prefers, it gets chunks",
    source: "remote_execution.proto, SplitBlobRequest.chunking_function: the server MAY use a different one",
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const blob = newBlob(largeBytes);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const { UNKNOWN, REP_MAX_CDC } = ChunkingFunction_Value;
      for (const chunkingFunction of [UNKNOWN, REP_MAX_CDC]) {
        const call = cas.splitBlob({ instanceName, blobDigest: blob.digest, chunkingFunction });
        expectTrue((await expectOk(call, "SplitBlob")).chunkDigests.length > 1, "no chunks");
      }
    },
  },
  {
    id: "split/small",
    title: "a small blob is its own chunk, and the empty one has none, or itself",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const blob = newBlob(1000);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const { chunkDigests } = await expectOk(cas.splitBlob({ instanceName, blobDigest: blob.digest }), "SplitBlob");
      expectEqual(chunkDigests.map(showDigest).join(), showDigest(blob.digest), "chunks");
      const empty = await expectOk(
        cas.splitBlob({ instanceName, blobDigest: emptyBlob.digest }),
        "SplitBlob of nothing",
      );
      const bytes = empty.chunkDigests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n);
      expectEqual(bytes, 0n, "bytes in the chunks of nothing");
    },
  },
  {
    id: "split/absent",
    title: "an absent blob is NOT_FOUND, no digest INVALID_ARGUMENT",
    source,
    lacks,
    async run({ cas, instance: instanceName }) {
      const call = cas.splitBlob({ instanceName, blobDigest: newBlob().digest });
      await expectStatus(call, "notFound", "SplitBlob of an absent blob");
      await expectStatus(cas.splitBlob({ instanceName }), "invalidArgument", "SplitBlob without a digest");
      const blobDigest = { hash: "zz", sizeBytes: 5n };
      await expectStatus(cas.splitBlob({ instanceName, blobDigest }), "invalidArgument", "SplitBlob of no digest");
    },
  },
  {
    id: "split/blake3",
    title: "chunks have the function that the request names",
    source: "remote_execution.proto, SplitBlobResponse.chunk_digests",
    lacks: lacksBlake3,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const blob = newBlob(largeBytes, blake3);
      const digestFunction = blake3.value;
      const name = writeName(instanceName, blob.digest, "blobs/blake3");
      await expectOk(writeMessages(server, chunksOf(name, blob.data)), "Write");
      const call = cas.splitBlob({ instanceName, blobDigest: blob.digest, digestFunction });
      const { chunkDigests } = await expectOk(call, "SplitBlob");
      expectTrue(chunkDigests.length > 1, "a blob of 6 MiB is one chunk");
      const absent = await missing(server, instanceName, chunkDigests, digestFunction);
      expectEqual(absent.length, 0, "chunks missing by BLAKE3");
      const unnamed = cas.splitBlob({ instanceName, blobDigest: blob.digest });
      await expectStatus(unnamed, "notFound", "SplitBlob without the function");
    },
  },
  {
    id: "split/pull-only",
    title: "who may only pull gets chunks, too",
    source: "they are for downloads, and hold nothing that was not there",
    needs: ["pullOnly"],
    lacks,
    async run(server) {
      const { instance: instanceName } = server;
      const blob = newBlob(largeBytes);
      await expectOk(writeBlob(server, instanceName, blob), "Write");
      const { cas } = server.connect("pullOnly");
      const { chunkDigests } = await expectOk(cas.splitBlob({ instanceName, blobDigest: blob.digest }), "SplitBlob");
      expectBytes(await readChunks(server, chunkDigests), blob.data, "the chunks");
    },
  },
];
