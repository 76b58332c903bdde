import { DigestFunction_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { type DigestInit, emptyBlob, missing, newBlob, showDigest, upload } from "../support/blobs.ts";
import { expectEqual, expectOk, expectStatus } from "../support/expect.ts";

const source = "remote_execution.proto, FindMissingBlobs";

export const findMissingCases: readonly Case[] = [
  {
    id: "find-missing/absent-and-present",
    title: "what is absent is listed, what is there is not",
    source,
    async run(server) {
      const [there, absent] = [newBlob(), newBlob()];
      await upload(server, server.instance, [there]);
      const listed = await missing(server, server.instance, [there.digest, absent.digest]);
      expectEqual(listed.length, 1, "digests listed");
      expectEqual(listed[0] === showDigest(absent.digest), true, "the absent one is listed");
    },
  },
  {
    id: "find-missing/duplicates",
    title: "a digest that is asked for twice is answered once",
    source: `${source}; casd's requests have duplicates`,
    async run(server) {
      const [there, absent] = [newBlob(), newBlob()];
      await upload(server, server.instance, [there]);
      const digests = [absent, there, absent, there, absent].map(({ digest }) => digest);
      expectEqual((await missing(server, server.instance, digests)).length, 1, "digests listed");
    },
  },
  {
    id: "find-missing/empty-blob",
    title: "the empty blob is always there",
    source: `${source}; Bazel and casd refer to it without an upload`,
    async run(server) {
      const digests = [emptyBlob.digest, newBlob().digest, emptyBlob.digest];
      expectEqual((await missing(server, server.instance, digests)).length, 1, "digests listed");
    },
  },
  {
    id: "find-missing/nothing",
    title: "a request for nothing is answered with nothing",
    source,
    async run(server) {
      expectEqual((await missing(server, server.instance, [])).length, 0, "digests listed");
    },
  },
  {
    id: "find-missing/other-size",
    title: "a known hash with another size is another blob",
    source: "remote_execution.proto, Digest: hash and size",
    async run(server) {
      const { digest, data } = newBlob();
      await upload(server, server.instance, [{ digest, data }]);
      const other = { hash: digest.hash, sizeBytes: digest.sizeBytes + 1n };
      expectEqual((await missing(server, server.instance, [other])).length, 1, "digests listed");
    },
  },
  {
    id: "find-missing/named-function",
    title: "naming SHA256 is the same as leaving it to the length of the hash",
    source: "remote_execution.proto, FindMissingBlobsRequest.digest_function",
    async run(server) {
      const [there, absent] = [newBlob(), newBlob()];
      await upload(server, server.instance, [there]);
      const call = server.cas.findMissingBlobs({
        instanceName: server.instance,
        blobDigests: [there.digest, absent.digest],
        digestFunction: DigestFunction_Value.SHA256,
      });
      expectEqual((await expectOk(call, "FindMissingBlobs")).missingBlobDigests.length, 1, "digests listed");
    },
  },
  {
    id: "find-missing/unserved-function",
    title: "a digest function that is not served is refused",
    source: "remote_execution.proto, FindMissingBlobsRequest.digest_function",
    async run(server) {
      const call = server.cas.findMissingBlobs({
        instanceName: server.instance,
        blobDigests: [newBlob().digest],
        digestFunction: DigestFunction_Value.VSO,
      });
      await expectStatus(call, "invalidArgument", "FindMissingBlobs with VSO");
    },
  },
  {
    id: "find-missing/many",
    title: "a request of nearly 4 MiB is answered, and within 4 MiB",
    source: "casd asks for 13,108 digests at once; gRPC clients take 4 MiB",
    async run(server) {
      const there = newBlob();
      await upload(server, server.instance, [there]);
      const digests: DigestInit[] = Array.from({ length: 50_000 }, (_, i) => ({
        hash: i.toString(16).padStart(8, "0").padEnd(64, there.digest.hash),
        sizeBytes: 1n,
      }));
      digests[25_000] = there.digest;
      const listed = await missing(server, server.instance, digests);
      expectEqual(new Set(listed).size, digests.length - 1, "different digests listed");
    },
  },
];
