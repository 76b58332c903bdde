import type { ServedFunction } from "../../../src/base/digest-function.ts";
import { blake3, digestFunctions, functionOfHexLength, sha1, sha256 } from "../../../src/base/digest-function.ts";
import type { DigestFunction_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { expectFound, fetchBlob, fetchDirectory, newUri, pushBlob, pushDirectory } from "../support/assets.ts";
import { blobOf, isThere, newBlob, upload } from "../support/blobs.ts";
import { chunksOf, readAll, readName, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { newNestedDirectory } from "../support/directories.ts";
import { expectBytes, expectEntry, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";

const source = "remote_execution.proto, ServedFunction";

/** Whether the function is told by the length of its hashes; if not, clients name it everywhere. */
const isGuessed = (fn: ServedFunction): boolean => functionOfHexLength(fn.hexLength) === fn;

/** What a client must say of it, and no more. */
const neededValue = (fn: ServedFunction): DigestFunction_Value => (isGuessed(fn) ? 0 : fn.value);
const neededKind = (fn: ServedFunction): string => (isGuessed(fn) ? "blobs" : `blobs/${fn.name}`);

const casesOf = (fn: ServedFunction): Case[] => [
  {
    id: `${fn.name}/batch`,
    title: `${fn.name}: batches, by name of the function and, where that tells it, by length of the hash`,
    source,
    async run({ cas, instance: instanceName }) {
      for (const digestFunction of new Set([fn.value, neededValue(fn)])) {
        const [blob, absent] = [newBlob(100, fn), newBlob(100, fn)];
        const digests = [blob.digest, absent.digest];
        const wrong = { digest: absent.digest, data: blob.data };
        const requests = [blob, wrong];
        const { responses } = await expectOk(
          cas.batchUpdateBlobs({ instanceName, requests, digestFunction }),
          "BatchUpdateBlobs",
        );
        const statusOf = (hash: string) => responses.find(({ digest }) => digest?.hash === hash)?.status;
        expectEntry(statusOf(blob.digest.hash), "ok", "a good blob");
        expectEntry(statusOf(absent.digest.hash), "invalidArgument", "wrong data");
        const { missingBlobDigests } = await expectOk(
          cas.findMissingBlobs({ instanceName, blobDigests: digests, digestFunction }),
          "FindMissingBlobs",
        );
        expectEqual(missingBlobDigests.length, 1, "digests listed");
        const read = await expectOk(cas.batchReadBlobs({ instanceName, digests, digestFunction }), "BatchReadBlobs");
        const entryOf = (hash: string) => read.responses.find(({ digest }) => digest?.hash === hash);
        expectBytes(entryOf(blob.digest.hash)?.data ?? new Uint8Array(), blob.data, "BatchReadBlobs");
        expectEntry(entryOf(absent.digest.hash)?.status, "notFound", "the absent blob");
      }
    },
  },
  {
    id: `${fn.name}/stream`,
    title: `${fn.name}: streams, with the function in the name and, where the hash tells it, without`,
    source,
    async run(server) {
      for (const kind of new Set([neededKind(fn), `blobs/${fn.name}`])) {
        const [blob, large] = [newBlob(1000, fn), newBlob(3 << 20, fn)];
        for (const { digest, data } of [blob, large]) {
          const name = writeName(server.instance, digest, kind);
          await expectOk(writeMessages(server, chunksOf(name, data)), "Write");
          const read = readAll(server, { resourceName: readName(server.instance, digest, kind) });
          expectBytes(await expectOk(read, "Read"), data, "Read");
        }
        const wrong = chunksOf(writeName(server.instance, newBlob(1000, fn).digest, kind), blob.data);
        await expectStatus(writeMessages(server, wrong), "invalidArgument", "Write of wrong data");
      }
    },
  },
  {
    id: `${fn.name}/empty-blob`,
    title: `${fn.name}: the empty blob is always there`,
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      const digest = { hash: fn.emptyHash, sizeBytes: 0n };
      expectTrue(
        await isThere(server, server.instance, digest, neededValue(fn)),
        "FindMissingBlobs lists the empty blob",
      );
      const read = readAll(server, { resourceName: readName(server.instance, digest, neededKind(fn)) });
      expectEqual((await expectOk(read, "Read of the empty blob")).length, 0, "bytes");
    },
  },
  {
    id: `${fn.name}/trees`,
    title: `${fn.name}: GetTree, and completeness of results and assets`,
    source,
    async run(server) {
      const { instance: instanceName } = server;
      const { root, blobs, deepFile, tree } = newNestedDirectory(fn);
      const digestFunction = fn.value;
      await upload(server, instanceName, [...blobs.filter((each) => each !== deepFile), tree], neededValue(fn));
      const actionDigest = newBlob(100, fn).digest;
      const actionResult = {
        outputDirectories: [{ path: "d", treeDigest: tree.digest, rootDirectoryDigest: root.digest }],
      };
      const request = { instanceName, actionDigest, digestFunction };
      await expectOk(server.actionCache.updateActionResult({ ...request, actionResult }), "UpdateActionResult");
      const uris = [newUri()];
      await pushDirectory(server, { uris, rootDirectoryDigest: root.digest, digestFunction });
      const get = () => server.actionCache.getActionResult(request);
      await expectStatus(get(), "notFound", "GetActionResult without a file");
      expectEqual((await fetchDirectory(server, { uris, digestFunction })).status, "NOT_FOUND", "FetchDirectory");
      await upload(server, instanceName, [deepFile], neededValue(fn));
      await expectOk(get(), "GetActionResult with everything");
      expectFound(await fetchDirectory(server, { uris, digestFunction }), root.digest, "FetchDirectory");
      const call = server.cas.getTree();
      await call.send({ instanceName, rootDigest: root.digest, digestFunction });
      call.halfClose();
      let directories = 0;
      for await (const page of call) directories += page.directories.length;
      expectEqual(directories, 2, "directories");
    },
  },
];

export const digestFunctionCases: readonly Case[] = [
  ...digestFunctions.flatMap(casesOf),
  {
    id: "digest-functions/apart",
    title: "what is there by one function is not there by another",
    source,
    async run(server) {
      const blob = newBlob();
      const other = blobOf(blob.data, sha1);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      expectTrue(!(await isThere(server, server.instance, other.digest)), "the blob is there by another function");
    },
  },
  {
    id: "digest-functions/one-length",
    title: "64 hex digits are SHA-256 where BLAKE3 is not named, and each has its own results and assets",
    source:
      "remote_execution.proto: the functions that a client MAY leave unnamed are told by the hash's length; BLAKE3 is not among them",
    async run(server) {
      const { instance: instanceName } = server;
      const [blob, uris] = [newBlob(100, blake3), [newUri()]];
      const [digestFunction, blobDigest] = [blake3.value, blob.digest];
      await upload(server, instanceName, [blob], digestFunction);
      expectTrue(await isThere(server, instanceName, blobDigest, digestFunction), "the blob is not there by BLAKE3");
      expectTrue(!(await isThere(server, instanceName, blobDigest)), "the blob is there by its length");
      const unnamed = chunksOf(writeName(instanceName, blobDigest), blob.data);
      await expectStatus(writeMessages(server, unnamed), "invalidArgument", "Write without the function's name");

      await pushBlob(server, { uris, blobDigest, digestFunction });
      expectFound(await fetchBlob(server, { uris, digestFunction }), blobDigest, "FetchBlob with BLAKE3");
      const other = await fetchBlob(server, { uris, digestFunction: sha256.value });
      expectEqual(other.status, "NOT_FOUND", "FetchBlob with SHA256");

      const action = { instanceName, actionDigest: newBlob(100, blake3).digest };
      const actionResult = { outputFiles: [{ path: "f", digest: blobDigest }] };
      await expectOk(
        server.actionCache.updateActionResult({ ...action, digestFunction, actionResult }),
        "UpdateActionResult",
      );
      const result = server.actionCache.getActionResult({ ...action, digestFunction });
      expectEqual((await expectOk(result, "GetActionResult")).outputFiles.length, 1, "output files");
      await expectStatus(server.actionCache.getActionResult(action), "notFound", "GetActionResult without BLAKE3");
    },
  },
  {
    id: "digest-functions/mismatch",
    title: "a hash that is none of the function named is refused",
    source,
    async run(server) {
      const { instance: instanceName, cas } = server;
      const digestFunction = sha1.value;
      const call = cas.findMissingBlobs({ instanceName, blobDigests: [newBlob().digest], digestFunction });
      await expectStatus(call, "invalidArgument", "FindMissingBlobs of SHA1 with 64 hex digits");
      const { digest } = newBlob();
      const resourceName = readName(instanceName, digest, "blobs/sha1");
      await expectStatus(readAll(server, { resourceName }), "invalidArgument", "Read of sha1 with 64 hex digits");
    },
  },
  {
    id: "digest-functions/asset",
    title: "a fetch names the function that it wants",
    source: "remote_asset.proto, FetchBlobRequest.digest_function",
    async run(server) {
      const blob = newBlob();
      const uris = [newUri()];
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris, blobDigest: blob.digest, digestFunction: sha256.value });
      const fetched = await fetchBlob(server, { uris, digestFunction: sha256.value });
      expectFound(fetched, blob.digest, "FetchBlob with SHA256");
    },
  },
];
