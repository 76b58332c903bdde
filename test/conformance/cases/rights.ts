import type { Case } from "../case.ts";
import { newUri } from "../support/assets.ts";
import { emptyBlob, isThere, newBlob, upload } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import { readCalls, writeCalls } from "../support/every-call.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "push off means that no write of any kind is accepted";

export const rightsCases: readonly Case[] = [
  {
    id: "rights/writes-refused",
    title: "every write is PERMISSION_DENIED where push is off, and stores nothing",
    source,
    needs: ["pullOnly"],
    async run(server) {
      const pulling = server.connect("pullOnly");
      const blob = newBlob(1000);
      for (const [name, call] of Object.entries(writeCalls(pulling, server.instance, blob))) {
        await expectStatus(call(), "permissionDenied", name);
      }
      expectTrue(!(await isThere(server, server.instance, blob.digest)), "the refused blob was stored");
      const request = { instanceName: server.instance, actionDigest: blob.digest };
      await expectStatus(server.actionCache.getActionResult(request), "notFound", "GetActionResult of the refused");
    },
  },
  {
    id: "rights/writes-of-what-is-there-refused",
    title: "writes of what is there, and of the empty blob, are PERMISSION_DENIED too",
    source,
    needs: ["pullOnly"],
    async run(server) {
      const pulling = server.connect("pullOnly");
      const blob = newBlob();
      await upload(server, server.instance, [blob]);
      for (const each of [blob, emptyBlob]) {
        const { BatchUpdateBlobs, Write } = writeCalls(pulling, server.instance, each);
        await expectStatus(BatchUpdateBlobs?.() ?? Promise.resolve(), "permissionDenied", "BatchUpdateBlobs");
        await expectStatus(Write?.() ?? Promise.resolve(), "permissionDenied", "Write");
      }
    },
  },
  {
    id: "rights/large-write-refused",
    title: "a large write is refused without being swallowed",
    source,
    needs: ["pullOnly"],
    async run(server) {
      const pulling = server.connect("pullOnly");
      const call = writeBlob(pulling, server.instance, newBlob(32 << 20));
      await expectStatus(call, "permissionDenied", "Write of 32 MiB");
    },
  },
  {
    id: "rights/reads-served",
    title: "reads are served where push is off",
    source: "BuildStream: the public pull port",
    needs: ["pullOnly"],
    async run(server) {
      const pulling = server.connect("pullOnly");
      const blob = newBlob();
      await upload(server, server.instance, [blob]);
      const uris = [newUri()];
      await expectOk(
        server.push.pushBlob({ instanceName: server.instance, uris, blobDigest: blob.digest }),
        "PushBlob where push is on",
      );
      const read = readAll(pulling, { resourceName: readName(server.instance, blob.digest) });
      expectBytes(await expectOk(read, "Read"), blob.data, "Read");
      const { FindMissingBlobs, BatchReadBlobs } = readCalls(pulling, server.instance, blob.digest);
      await expectOk(FindMissingBlobs?.() ?? Promise.resolve(), "FindMissingBlobs");
      await expectOk(BatchReadBlobs?.() ?? Promise.resolve(), "BatchReadBlobs");
      await expectOk(pulling.fetch.fetchBlob({ instanceName: server.instance, uris }), "FetchBlob");
    },
  },
  {
    id: "rights/probes",
    title: "the probe for pushes is PERMISSION_DENIED, the one for fetches INVALID_ARGUMENT",
    source: "BuildStream: so it finds out that a remote takes no pushes",
    needs: ["pullOnly"],
    async run(server) {
      const { fetch, push } = server.connect("pullOnly");
      const { instance: instanceName } = server;
      await expectStatus(push.pushBlob({ instanceName }), "permissionDenied", "PushBlob of nothing");
      await expectStatus(push.pushDirectory({ instanceName }), "permissionDenied", "PushDirectory of nothing");
      await expectStatus(fetch.fetchBlob({ instanceName }), "invalidArgument", "FetchBlob of nothing");
    },
  },
  {
    id: "rights/capabilities",
    title: "a caller who may not write is told so",
    source: "remote_execution.proto, ActionCacheUpdateCapabilities",
    needs: ["pullOnly"],
    async run(server) {
      const pulling = server.connect("pullOnly");
      const { actionCacheUpdateCapabilities } = await cacheCapabilities(pulling, server.instance);
      expectEqual(actionCacheUpdateCapabilities?.updateEnabled, false, "update_enabled");
    },
  },
  {
    id: "rights/unknown-instance",
    title: "an unknown instance is NOT_FOUND where push is off, too",
    source: "BuildStream: the probe's answer must not be INVALID_ARGUMENT",
    needs: ["pullOnly"],
    async run(server) {
      const { fetch } = server.connect("pullOnly");
      await expectStatus(fetch.fetchBlob({ instanceName: "no/such/instance" }), "notFound", "FetchBlob of nothing");
    },
  },
];
