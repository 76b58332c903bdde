import type { Case } from "../case.ts";
import { newUri } from "../support/assets.ts";
import { newBlob, upload } from "../support/blobs.ts";
import { writeBlob } from "../support/byte-stream.ts";
import { readCalls, writeCalls } from "../support/every-call.ts";
import { expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "BuildStream: type index and type storage of a remote";

/** Whether a call is one of an index. */
const isAsset = (name: string): boolean => /^(Fetch|Push)|(Artifact|Source)$/.test(name);

/** Both parts have it: clients of 1.91 ask a storage for its Status. */
const isReference = (name: string): boolean => name.endsWith("Reference");

export const partCases: readonly Case[] = [
  {
    id: "parts/index",
    title: "an index alone serves assets and capabilities, and no blobs",
    source,
    needs: ["indexOnly"],
    async run(server) {
      const index = server.connect("indexOnly");
      const { instance: instanceName } = server;
      const calls = { ...readCalls(index, instanceName), ...writeCalls(index, instanceName) };
      for (const [name, call] of Object.entries(calls)) {
        if (!isAsset(name) && !isReference(name)) await expectStatus(call(), "unimplemented", name);
      }
      await expectStatus(index.fetch.fetchBlob({ instanceName }), "invalidArgument", "FetchBlob of nothing");
      await expectStatus(index.push.pushBlob({ instanceName }), "invalidArgument", "PushBlob of nothing");
      expectTrue((await cacheCapabilities(index, instanceName)).digestFunctions.length > 0, "no digest functions");
    },
  },
  {
    id: "parts/index-serves-what-was-pushed",
    title: "an index alone serves what was pushed: completeness is the storage's",
    source,
    needs: ["indexOnly"],
    async run(server) {
      const { fetch, push } = server.connect("indexOnly");
      const { instance: instanceName } = server;
      const { digest } = newBlob();
      const uris = [newUri(), newUri()];
      const referencesDirectories = [{ hash: "", sizeBytes: 0n }, newBlob().digest];
      await expectOk(push.pushBlob({ instanceName, uris, blobDigest: digest, referencesDirectories }), "PushBlob");
      await expectOk(push.pushDirectory({ instanceName, uris, rootDirectoryDigest: digest }), "PushDirectory");
      for (const uri of uris) {
        const { blobDigest } = await expectOk(fetch.fetchBlob({ instanceName, uris: [uri] }), "FetchBlob");
        expectTrue(blobDigest?.hash === digest.hash, "FetchBlob: another digest was found");
        const answer = await expectOk(fetch.fetchDirectory({ instanceName, uris: [uri] }), "FetchDirectory");
        expectTrue(answer.rootDirectoryDigest?.hash === digest.hash, "FetchDirectory: another digest was found");
      }
      const absent = fetch.fetchBlob({ instanceName, uris: [newUri()] });
      await expectStatus(absent, "notFound", "FetchBlob of what was not pushed");
    },
  },
  {
    id: "parts/storage",
    title: "a storage alone serves blobs and capabilities, and no assets",
    source,
    needs: ["storageOnly"],
    async run(server) {
      const storage = server.connect("storageOnly");
      const { instance: instanceName } = server;
      const calls = { ...readCalls(storage, instanceName), ...writeCalls(storage, instanceName) };
      for (const [name, call] of Object.entries(calls)) {
        if (isAsset(name)) await expectStatus(call(), "unimplemented", name);
      }
      const blob = newBlob();
      await upload(storage, instanceName, [blob]);
      expectEqual(await expectOk(writeBlob(storage, instanceName, newBlob(1000)), "Write"), 1000n, "committed_size");
      expectTrue((await cacheCapabilities(storage, instanceName)).digestFunctions.length > 0, "no digest functions");
    },
  },
];
