import type { Case, Server } from "../case.ts";
import { expectFound, expectMiss, fetchDirectory, pushDirectory } from "../support/assets.ts";
import { newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { readAll, writeMessages } from "../support/byte-stream.ts";
import { newNestedDirectory } from "../support/directories.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";

const source = "buildstream.v2.ReferenceStorage, as BuildStream 1.1.4 to 1.6 uses it";
const needs = ["older"] as const;

const newKey = (): string => `project/element/${newBlob().digest.hash}`;
const uriOf = (key: string): string => `urn:fdc:buildstream.build:2020:v1:${key}`;

/** What a push of these clients comes to. */
async function update(server: Server, key: string, { digest }: TestBlob): Promise<void> {
  const { instance: instanceName } = server;
  await expectOk(server.references.updateReference({ instanceName, keys: [key], digest }), "UpdateReference");
}

async function expectReference(server: Server, key: string, { digest }: TestBlob): Promise<void> {
  const answer = await expectOk(server.references.getReference({ instanceName: server.instance, key }), "GetReference");
  expectTrue(answer.digest?.hash === digest.hash, "GetReference: another digest was found");
  expectEqual(answer.digest?.sizeBytes, digest.sizeBytes, "size_bytes");
}

export const referenceCases: readonly Case[] = [
  {
    id: "references/round-trip",
    title: "what was stored under keys is found under each, and replaced by what comes later",
    source,
    needs,
    async run(server) {
      const { instance: instanceName } = server;
      const [first, second] = [newNestedDirectory(), newNestedDirectory()];
      await upload(server, instanceName, [...first.blobs, ...second.blobs]);
      const [strong, weak] = [newKey(), newKey()];
      const { digest } = first.root;
      await expectOk(server.references.updateReference({ instanceName, keys: [strong, weak], digest }), "two keys");
      await expectReference(server, strong, first.root);
      await expectReference(server, weak, first.root);
      await update(server, weak, second.root);
      await expectReference(server, weak, second.root);
      await expectReference(server, strong, first.root);
      await expectStatus(server.references.getReference({ instanceName, key: newKey() }), "notFound", "an unknown key");
    },
  },
  {
    id: "references/one-table-with-assets",
    title: "references and the directories that later clients push under the same keys are one table",
    source: "BuildStream 1.4.3 and 1.6.8 compute the same keys",
    needs,
    async run(server) {
      const [older, newer] = [newNestedDirectory(), newNestedDirectory()];
      await upload(server, server.instance, [...older.blobs, ...newer.blobs]);
      const [one, other] = [newKey(), newKey()];
      await update(server, one, older.root);
      expectFound(await fetchDirectory(server, { uris: [uriOf(one)] }), older.root.digest, "FetchDirectory");
      await pushDirectory(server, { uris: [uriOf(other)], rootDirectoryDigest: newer.root.digest });
      await expectReference(server, other, newer.root);
      await pushDirectory(server, { uris: [uriOf(one)], rootDirectoryDigest: newer.root.digest });
      await expectReference(server, one, newer.root);
    },
  },
  {
    id: "references/holes",
    title: "a tree with a hole is NOT_FOUND, and whole again when the hole is filled",
    source: "BuildStream 1.x: any other error fails the user's build",
    needs,
    async run(server) {
      const { instance: instanceName } = server;
      const { root, blobs } = newNestedDirectory();
      const key = newKey();
      await update(server, key, root);
      for (const blob of blobs) {
        const call = server.references.getReference({ instanceName, key });
        await expectStatus(call, "notFound", "GetReference of a tree with a hole");
        expectMiss(await fetchDirectory(server, { uris: [uriOf(key)] }), "FetchDirectory of a tree with a hole");
        await upload(server, instanceName, [blob]);
      }
      await expectReference(server, key, root);
    },
  },
  {
    id: "references/malformed",
    title: "updates without keys, digest or key are refused",
    source,
    needs,
    async run({ instance: instanceName, references }) {
      const { digest } = newBlob();
      const digests = [undefined, { hash: "x", sizeBytes: 1n }, { hash: digest.hash, sizeBytes: -1n }];
      for (const wrong of digests) {
        const request = { instanceName, keys: [newKey()], ...(wrong && { digest: wrong }) };
        await expectStatus(references.updateReference(request), "invalidArgument", "UpdateReference with a bad digest");
      }
      for (const keys of [[], [""], ["\u0000"]]) {
        const call = references.updateReference({ instanceName, keys, digest });
        await expectStatus(call, "invalidArgument", "UpdateReference with bad keys");
      }
      await expectStatus(references.getReference({ instanceName }), "invalidArgument", "GetReference of nothing");
    },
  },
  {
    id: "references/status",
    title: "Status says whether this address takes pushes",
    source,
    needs: ["older", "pullOnly"],
    async run(server) {
      const { instance: instanceName } = server;
      const pushing = await expectOk(server.references.status({ instanceName }), "Status");
      expectTrue(pushing.allowUpdates, "allow_updates is false where push is on");
      const pulling = await expectOk(server.connect("pullOnly").references.status({ instanceName }), "Status");
      expectTrue(!pulling.allowUpdates, "allow_updates is true where push is off");
    },
  },
  {
    id: "references/short-names",
    title: "a blob is written and read under its digest alone",
    source: "BuildStream 1.1.4 to 1.1.6 and 1.3.0",
    needs,
    async run(server) {
      const { digest, data } = newBlob(200_000);
      const resourceName = `${digest.hash}/${digest.sizeBytes}`;
      const half = data.length / 2;
      const messages = [
        { resourceName, data: data.subarray(0, half) },
        { resourceName, writeOffset: BigInt(half), data: data.subarray(half), finishWrite: true },
      ];
      const committed = await expectOk(writeMessages(server, messages), "Write");
      expectEqual(committed, digest.sizeBytes, "committed_size");
      expectBytes(await expectOk(readAll(server, { resourceName }), "Read"), data, "Read");
    },
  },
  {
    id: "references/empty-batches",
    title: "batches of nothing are OK: so these clients ask whether there are batches",
    source,
    needs,
    async run({ instance: instanceName, cas }) {
      await expectOk(cas.batchReadBlobs({ instanceName }), "BatchReadBlobs of nothing");
      await expectOk(cas.batchUpdateBlobs({ instanceName }), "BatchUpdateBlobs of nothing");
    },
  },
];
