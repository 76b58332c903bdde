import { randomUUID } from "node:crypto";
import type { Case } from "../case.ts";
import { emptyBlob, newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { chunksOf, committed, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { expectEqual, expectOk } from "../support/expect.ts";
import { expectStored } from "../support/stored.ts";

const source = "bytestream.proto, Write";

export const byteStreamWriteCases: readonly Case[] = [
  {
    id: "bytestream-write/sizes",
    title: "blobs of one and of many messages are stored, committed_size is their size",
    source: "casd: any other committed_size fails the push",
    async run(server) {
      for (const size of [1, 1000, 1 << 20, (1 << 20) + 1, 9_000_001]) {
        const blob = newBlob(size);
        expectEqual(await expectOk(writeBlob(server, server.instance, blob), "Write"), BigInt(size), "committed_size");
        await expectStored(server, blob);
      }
    },
  },
  {
    id: "bytestream-write/messages-of-2-mib",
    title: "messages of 2 MiB, the name in the first alone",
    source: `${source}: the name is required in the first message; casd sends 2 MiB`,
    async run(server) {
      const blob = newBlob((5 << 20) + 3);
      const [first, ...rest] = chunksOf(writeName(server.instance, blob.digest), blob.data, { size: 2 << 20 });
      const messages = [first ?? {}, ...rest.map((each) => ({ ...each, resourceName: "" }))];
      expectEqual(await expectOk(writeMessages(server, messages), "Write"), BigInt(blob.data.length), "committed_size");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/finish-alone",
    title: "finish_write may come in a message of its own, and messages may be empty",
    source,
    async run(server) {
      const blob = newBlob(1000);
      const resourceName = writeName(server.instance, blob.digest);
      const messages = [
        { resourceName },
        { data: blob.data.subarray(0, 400) },
        { writeOffset: 400n },
        { writeOffset: 400n, data: blob.data.subarray(400) },
        { writeOffset: 1000n, finishWrite: true },
      ];
      expectEqual(await expectOk(writeMessages(server, messages), "Write"), 1000n, "committed_size");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/empty-blob",
    title: "the empty blob may be written",
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      expectEqual(await expectOk(writeBlob(server, server.instance, emptyBlob), "Write"), 0n, "committed_size");
    },
  },
  {
    id: "bytestream-write/name-with-more",
    title: "whatever stands behind the size in the name is the client's own",
    source: "remote_execution.proto, ContentAddressableStorage: resource names, optional_metadata",
    async run(server) {
      for (const more of ["/a/file/name.o", "/", "/blobs/x/1"]) {
        const blob = newBlob();
        const name = `${writeName(server.instance, blob.digest)}${more}`;
        await expectOk(writeMessages(server, chunksOf(name, blob.data)), `Write to .../SIZE${more}`);
        await expectStored(server, blob);
      }
    },
  },
  {
    id: "bytestream-write/function-in-name",
    title: "the function of a hash whose length says it may be named",
    source: "remote_execution.proto, ContentAddressableStorage: resource names",
    async run(server) {
      const blob = newBlob();
      const name = writeName(server.instance, blob.digest, "blobs/sha256");
      await expectOk(writeMessages(server, chunksOf(name, blob.data)), "Write");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/early-answer",
    title: "a blob that is there is answered at once, with its size",
    source: "remote_execution.proto: early return; clients need not send the rest",
    async run(server) {
      const blob = newBlob(8 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      const call = server.byteStream.write();
      const [first] = chunksOf(writeName(server.instance, blob.digest), blob.data);
      await call.send(first ?? {});
      expectEqual(await expectOk(committed(call), "Write of one message of eight"), 8n << 20n, "committed_size");
    },
  },
  {
    id: "bytestream-write/one-upload-name",
    title: "one upload name serves many blobs at the same time",
    source: "casd: one UUID for all uploads of a session",
    async run(server) {
      const id = randomUUID();
      const blobs = Array.from({ length: 20 }, () => newBlob(300_000));
      const write = async (blob: TestBlob) => {
        const name = writeName(server.instance, blob.digest, "blobs", id);
        const size = await expectOk(writeMessages(server, chunksOf(name, blob.data, { size: 50_000 })), "Write");
        expectEqual(size, 300_000n, "committed_size");
      };
      await Promise.all(blobs.map(write));
      for (const blob of blobs) await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/same-blob-at-once",
    title: "one blob is uploaded eight times at once",
    source: "clients of one cache build the same things",
    async run(server) {
      const blob = newBlob(2 << 20);
      const write = async () => {
        const messages = chunksOf(writeName(server.instance, blob.digest), blob.data, { size: 100_000 });
        expectEqual(await expectOk(writeMessages(server, messages), "Write"), 2n << 20n, "committed_size");
      };
      await Promise.all(Array.from({ length: 8 }, write));
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/batch-meanwhile",
    title: "a blob that arrives in a batch while it is being written",
    source: "clients of one cache build the same things",
    async run(server) {
      const blob = newBlob(1000);
      const resourceName = writeName(server.instance, blob.digest);
      const call = server.byteStream.write();
      await call.send({ resourceName, data: blob.data.subarray(0, 500) });
      await upload(server.connect(), server.instance, [blob]);
      await call.send({ resourceName, writeOffset: 500n, data: blob.data.subarray(500), finishWrite: true });
      expectEqual(await expectOk(committed(call), "Write"), 1000n, "committed_size");
      await expectStored(server, blob);
    },
  },
];
