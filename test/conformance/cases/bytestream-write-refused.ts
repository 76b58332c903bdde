import type { Case } from "../case.ts";
import { newBlob } from "../support/blobs.ts";
import { chunksOf, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { expectEqual, expectOk, expectStatus, statusOf } from "../support/expect.ts";
import { expectNotStored, expectStored } from "../support/stored.ts";

const source = "bytestream.proto, Write";

/** What a server may say of an offset that does not follow on: "an error" is all that is fixed. */
const offsetErrors = ["invalidArgument", "outOfRange", "failedPrecondition", "aborted"] as const;

export const refusedWriteCases: readonly Case[] = [
  {
    id: "bytestream-write/wrong-hash",
    title: "data with another hash is refused",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      for (const size of [100, 3 << 20]) {
        const wrong = { digest: newBlob(size).digest, data: newBlob(size).data };
        await expectStatus(writeBlob(server, server.instance, wrong), "invalidArgument", `Write of ${size} bytes`);
        await expectNotStored(server, wrong);
      }
    },
  },
  {
    id: "bytestream-write/too-little",
    title: "fewer bytes than the name says are refused",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      const blob = newBlob(1000);
      const short = { digest: blob.digest, data: blob.data.subarray(0, 999) };
      await expectStatus(writeBlob(server, server.instance, short), "invalidArgument", "Write");
      await expectNotStored(server, blob);
    },
  },
  {
    id: "bytestream-write/too-much",
    title: "more bytes than the name says are refused",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      const blob = newBlob(1000);
      const long = { digest: { ...blob.digest, sizeBytes: 999n }, data: blob.data };
      await expectStatus(writeBlob(server, server.instance, long), "invalidArgument", "Write");
      await expectNotStored(server, long);
    },
  },
  {
    id: "bytestream-write/retry-after-refusal",
    title: "a refused upload may be tried again under the same name, with the right data",
    source: "clients keep the name of an upload",
    async run(server) {
      const blob = newBlob(1000);
      const name = writeName(server.instance, blob.digest);
      await expectStatus(writeMessages(server, chunksOf(name, newBlob(1000).data)), "invalidArgument", "Write");
      await expectOk(writeMessages(server, chunksOf(name, blob.data)), "Write again");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write/no-finish",
    title: "without finish_write nothing is stored",
    source: `${source}: not complete until finish_write`,
    async run(server) {
      const blob = newBlob(1000);
      const resourceName = writeName(server.instance, blob.digest);
      const call = writeMessages(server, [{ resourceName, data: blob.data }]);
      const status = await statusOf(call);
      if (status === "OK") await call;
      else expectEqual(status, "INVALID_ARGUMENT", "Write without finish_write");
      await expectNotStored(server, blob);
    },
  },
  {
    id: "bytestream-write/no-message",
    title: "a write of nothing at all is refused",
    source: `${source}: the first message names the resource`,
    async run(server) {
      await expectStatus(writeMessages(server, []), "invalidArgument", "Write without a message");
      await expectStatus(writeMessages(server, [{ data: newBlob().data }]), "invalidArgument", "Write without a name");
    },
  },
  {
    id: "bytestream-write/other-name",
    title: "a name that changes within a write is refused",
    source: `${source}: resource_name must be the same in every message`,
    async run(server) {
      const [one, other] = [newBlob(1000), newBlob(1000)];
      const messages = [
        { resourceName: writeName(server.instance, one.digest), data: one.data.subarray(0, 500) },
        {
          resourceName: writeName(server.instance, other.digest),
          writeOffset: 500n,
          data: one.data.subarray(500),
          finishWrite: true,
        },
      ];
      await expectStatus(writeMessages(server, messages), "invalidArgument", "Write");
    },
  },
  {
    id: "bytestream-write/first-offset",
    title: "an upload that nothing is known of begins at 0",
    source: `${source}: write_offset`,
    async run(server) {
      const blob = newBlob(1000);
      const name = writeName(server.instance, blob.digest);
      const call = writeMessages(server, chunksOf(name, blob.data.subarray(10), { from: 10 }));
      await expectStatus(call, offsetErrors, "Write from 10");
      await expectNotStored(server, blob);
    },
  },
  {
    id: "bytestream-write/next-offset",
    title: "offsets follow on: no gap, no overlap, none below 0",
    source: `${source}: write_offset`,
    async run(server) {
      for (const offset of [499n, 501n, 0n, -1n]) {
        const blob = newBlob(1000);
        const resourceName = writeName(server.instance, blob.digest);
        const messages = [
          { resourceName, data: blob.data.subarray(0, 500) },
          { resourceName, writeOffset: offset, data: blob.data.subarray(500), finishWrite: true },
        ];
        await expectStatus(writeMessages(server, messages), offsetErrors, `Write of 500 bytes, then from ${offset}`);
        await expectNotStored(server, blob);
      }
    },
  },
  {
    id: "bytestream-write/malformed-names",
    title: "names that are none are refused",
    source: "remote_execution.proto, ContentAddressableStorage: resource names",
    async run(server) {
      const { digest, data } = newBlob(1000);
      for (const name of [
        "uploads",
        "uploads/x",
        "uploads/x/blobs",
        "uploads/x/blobs/HASH",
        "uploads/x/blobs/HASH/-1",
        "uploads/x/blobs/HASH/x",
        "uploads/x/blobs/no-hash/1000",
        "uploads/x/compressed-blobs/HASH/1000",
        "blobs/HASH/1000",
      ]) {
        const messages = chunksOf(name.replace("HASH", digest.hash), data);
        await expectStatus(writeMessages(server, messages), "invalidArgument", `Write to ${name}`);
      }
    },
  },
  {
    id: "bytestream-write/impossible-size",
    title: "a size that no disk has is refused, and the server lives on",
    source: "remote_execution.proto: INVALID_ARGUMENT or RESOURCE_EXHAUSTED; UNAVAILABLE lets casd try again",
    async run(server) {
      for (const sizeBytes of [1n << 52n, (1n << 63n) - 1n]) {
        const { digest, data } = newBlob();
        const call = writeBlob(server, server.instance, { digest: { hash: digest.hash, sizeBytes }, data });
        await expectStatus(
          call,
          ["invalidArgument", "resourceExhausted", "unavailable"],
          `Write of ${sizeBytes} bytes`,
        );
      }
    },
  },
];
