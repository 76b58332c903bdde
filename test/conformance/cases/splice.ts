import { blake3 } from "../../../src/base/digest-function.ts";
import { ChunkingFunction_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { blobOf, emptyBlob, isThere, newBlob, showDigest, type TestBlob, upload } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import { cutBlob, unless } from "../support/chunks.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "remote_execution.proto, ContentAddressableStorage.SpliceBlob";
const lacks = unless("SpliceBlob", ({ spliceBlobSupport }) => spliceBlobSupport);
const lacksFastCdc = unless("SpliceBlob and FastCDC", (each) => {
  return each.spliceBlobSupport && each.splitBlobSupport && each.fastCdc2020Params;
});
const lacksBlake3 = unless("SpliceBlob and BLAKE3", (each) => {
  return each.spliceBlobSupport && each.digestFunctions.includes(blake3.value);
});

const joined = (parts: readonly TestBlob[], fn?: typeof blake3): TestBlob =>
  blobOf(Buffer.concat(parts.map(({ data }) => data)), fn);
const digestsOf = (blobs: readonly TestBlob[]) => blobs.map(({ digest }) => digest);

async function expectStored(server: Server, blob: TestBlob): Promise<void> {
  const read = readAll(server, { resourceName: readName(server.instance, blob.digest) });
  expectBytes(await expectOk(read, "Read of the spliced blob"), blob.data, "the spliced blob");
}

export const spliceCases: readonly Case[] = [
  {
    id: "splice/stores",
    title: "chunks of any size and any number become the blob",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const twice = newBlob(3000);
      const large = newBlob(2 << 20);
      await expectOk(writeBlob(server, instanceName, large), "Write");
      const many = Array.from({ length: 300 }, (_, i) => newBlob(1 + i));
      await upload(server, instanceName, [twice, ...many]);
      for (const chunks of [
        [twice, ...many, twice],
        [large, twice, large],
        [newBlob(1), newBlob(1)],
      ]) {
        const blob = joined(chunks);
        await upload(
          server,
          instanceName,
          chunks.filter(({ data }) => data.length === 1),
        );
        const request = { instanceName, blobDigest: blob.digest, chunkDigests: digestsOf(chunks) };
        const { blobDigest } = await expectOk(cas.spliceBlob(request), "SpliceBlob");
        expectEqual(blobDigest && showDigest(blobDigest), showDigest(blob.digest), "blob_digest");
        await expectStored(server, blob);
      }
    },
  },
  {
    id: "splice/any-function",
    title: "whatever the chunks were cut by, they only have to be the blob",
    source: "remote_execution.proto, ChunkingFunction.UNKNOWN: servers MUST always accept it",
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      for (const chunkingFunction of [ChunkingFunction_Value.UNKNOWN, ChunkingFunction_Value.FAST_CDC_2020]) {
        const chunks = [newBlob(500), newBlob(700)];
        const blob = joined(chunks);
        await upload(server, instanceName, chunks);
        const request = { instanceName, blobDigest: blob.digest, chunkDigests: digestsOf(chunks), chunkingFunction };
        await expectOk(cas.spliceBlob(request), "SpliceBlob");
        await expectStored(server, blob);
      }
    },
  },
  {
    id: "splice/then-split",
    title: "what was spliced of chunks by FastCDC is split into the same",
    source,
    lacks: lacksFastCdc,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const { fastCdc2020Params } = await cacheCapabilities(server, instanceName);
      const average = Number(fastCdc2020Params?.avgChunkSizeBytes);
      const blob = newBlob(average * 10);
      const chunks = cutBlob(blob, average);
      for (const each of chunks) await expectOk(writeBlob(server, instanceName, each), "Write");
      const chunkingFunction = ChunkingFunction_Value.FAST_CDC_2020;
      const asked = { instanceName, blobDigest: blob.digest };
      await expectOk(cas.spliceBlob({ ...asked, chunkDigests: digestsOf(chunks), chunkingFunction }), "SpliceBlob");
      const { chunkDigests } = await expectOk(cas.splitBlob(asked), "SplitBlob");
      const expected = digestsOf(chunks).map(showDigest).join();
      expectTrue(chunkDigests.map(showDigest).join() === expected, "other chunks than those it was spliced of");
    },
  },
  {
    id: "splice/wrong-bytes",
    title: "chunks that are not the blob are INVALID_ARGUMENT, and nothing is stored",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      for (const size of [2000, 2 << 20]) {
        const chunks = [newBlob(size), newBlob(size)] as const;
        for (const each of chunks) await expectOk(writeBlob(server, instanceName, each), "Write");
        const blob = joined(chunks);
        const request = { instanceName, blobDigest: blob.digest };
        const turned = cas.spliceBlob({ ...request, chunkDigests: [chunks[1].digest, chunks[0].digest] });
        await expectStatus(turned, "invalidArgument", "SpliceBlob in the wrong order");
        const short = cas.spliceBlob({ ...request, chunkDigests: [chunks[0].digest] });
        await expectStatus(short, "invalidArgument", "SpliceBlob of half the chunks");
        expectTrue(!(await isThere(server, instanceName, blob.digest)), "the refused blob was stored");
      }
    },
  },
  {
    id: "splice/absent-chunk",
    title: "an absent chunk is NOT_FOUND",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const chunks = [newBlob(500), newBlob(700)] as const;
      await upload(server, instanceName, [chunks[0]]);
      const blob = joined(chunks);
      const call = cas.spliceBlob({ instanceName, blobDigest: blob.digest, chunkDigests: digestsOf(chunks) });
      await expectStatus(call, "notFound", "SpliceBlob with an absent chunk");
      expectTrue(!(await isThere(server, instanceName, blob.digest)), "the refused blob was stored");
    },
  },
  {
    id: "splice/malformed",
    title: "no blob, no digest, chunks of another function and no chunks for something are INVALID_ARGUMENT",
    source: "remote_execution.proto, SpliceBlobRequest: blob_digest MUST be set, and the function is one for all",
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const chunk = newBlob();
      await upload(server, instanceName, [chunk]);
      const good = { instanceName, blobDigest: newBlob(200).digest, chunkDigests: [chunk.digest] };
      const bad = {
        "without blob_digest": { instanceName, chunkDigests: [chunk.digest] },
        "with a hash that is none": { ...good, blobDigest: { hash: "x", sizeBytes: 100n } },
        "with a chunk that is none": { ...good, chunkDigests: [{ hash: "x", sizeBytes: 200n }] },
        "with a chunk of SHA1": { ...good, chunkDigests: [{ hash: "a".repeat(40), sizeBytes: 200n }] },
        "with a negative size": { ...good, chunkDigests: [{ hash: chunk.digest.hash, sizeBytes: -200n }] },
        "without chunks": { ...good, chunkDigests: [] },
      };
      for (const [what, request] of Object.entries(bad)) {
        await expectStatus(cas.spliceBlob(request), "invalidArgument", `SpliceBlob ${what}`);
      }
    },
  },
  {
    id: "splice/there-already",
    title: "a blob that is there already, and the empty one, are OK or ALREADY_EXISTS",
    source,
    lacks,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const chunks = [newBlob(500), newBlob(700)];
      const blob = joined(chunks);
      await upload(server, instanceName, [...chunks, blob]);
      const request = { instanceName, blobDigest: blob.digest, chunkDigests: digestsOf(chunks) };
      await expectStatus(cas.spliceBlob(request), ["ok", "alreadyExists"], "SpliceBlob of what is there");
      const nothing = cas.spliceBlob({ instanceName, blobDigest: emptyBlob.digest });
      await expectStatus(nothing, ["ok", "alreadyExists"], "SpliceBlob of nothing");
    },
  },
  {
    id: "splice/blake3",
    title: "blob and chunks have the function that the request names",
    source,
    lacks: lacksBlake3,
    async run(server) {
      const { cas, instance: instanceName } = server;
      const chunks = [newBlob(5000, blake3), newBlob(2000, blake3)];
      const blob = joined(chunks, blake3);
      const digestFunction = blake3.value;
      await upload(server, instanceName, chunks, digestFunction);
      const request = { instanceName, blobDigest: blob.digest, chunkDigests: digestsOf(chunks) };
      await expectStatus(cas.spliceBlob(request), "notFound", "SpliceBlob without the function");
      await expectOk(cas.spliceBlob({ ...request, digestFunction }), "SpliceBlob");
      expectTrue(await isThere(server, instanceName, blob.digest, digestFunction), "the spliced blob is missing");
    },
  },
];
