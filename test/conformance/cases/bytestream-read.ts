import { sha256 } from "../../../src/base/digest-function.ts";
import type { Case, Server } from "../case.ts";
import { emptyBlob, newBlob, type TestBlob } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import { expectBytes, expectEqual, expectOk, expectStatus } from "../support/expect.ts";
import { stored } from "../support/stored.ts";

const source = "bytestream.proto, Read";

function read(server: Server, blob: TestBlob, readOffset = 0n, readLimit = 0n): Promise<Buffer> {
  return readAll(server, { resourceName: readName(server.instance, blob.digest), readOffset, readLimit });
}

/** Names that are none. `HASH` stands for the hash of a blob of 1,000 bytes that is there. */
const malformedNames = [
  "",
  "blobs",
  "blobs/HASH",
  "blobs/HASH/",
  "blobs/HASH/-1",
  "blobs/HASH/1e3",
  "blobs/HASH/1000x",
  "blobs/HAS/1000",
  "blobs//1000",
  "blobs/../HASH/1000",
  "nothing/HASH/1000",
  "uploads/x/blobs/HASH/1000",
  "blobs/nofunction/HASH/1000",
];

export const byteStreamReadCases: readonly Case[] = [
  {
    id: "bytestream-read/whole",
    title: "a large blob comes whole, in messages below 4 MiB",
    source: "casd and gRPC clients take 4 MiB in a message",
    async run(server) {
      const blob = newBlob(9_000_001);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      expectBytes(await expectOk(read(server, blob), "Read"), blob.data, "Read");
    },
  },
  {
    id: "bytestream-read/ranges",
    title: "an offset and a limit cut the blob",
    source: `${source}: read_offset, read_limit; casd goes on from an offset after a break`,
    async run(server) {
      const blob = await stored(server);
      for (const [offset, limit] of [
        [0, 1],
        [0, 999],
        [0, 1000],
        [0, 5000],
        [1, 0],
        [500, 100],
        [500, 5000],
        [999, 0],
        [999, 1],
      ] as const) {
        const bytes = await expectOk(
          read(server, blob, BigInt(offset), BigInt(limit)),
          `Read from ${offset}, limit ${limit}`,
        );
        const end = limit === 0 ? undefined : offset + limit;
        expectBytes(bytes, blob.data.subarray(offset, end), `Read from ${offset}, limit ${limit}`);
      }
    },
  },
  {
    id: "bytestream-read/ranges-of-a-large-blob",
    title: "an offset and a limit cut a blob of many messages",
    source: `${source}: read_offset, read_limit`,
    async run(server) {
      const blob = newBlob(6 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      const [offset, limit] = [(1 << 20) + 17, (3 << 20) + 1];
      const bytes = await expectOk(read(server, blob, BigInt(offset), BigInt(limit)), "Read of a range");
      expectBytes(bytes, blob.data.subarray(offset, offset + limit), "Read of a range");
    },
  },
  {
    id: "bytestream-read/at-the-end",
    title: "from the end on there is nothing",
    source: `${source}: read_offset may be the size`,
    async run(server) {
      const blob = await stored(server);
      expectEqual((await expectOk(read(server, blob, 1000n), "Read from the end")).length, 0, "bytes");
      expectEqual((await expectOk(read(server, blob, 1000n, 5n), "Read from the end")).length, 0, "bytes");
    },
  },
  {
    id: "bytestream-read/behind-the-end",
    title: "an offset behind the end is OUT_OF_RANGE",
    source,
    async run(server) {
      await expectStatus(read(server, await stored(server), 1001n), "outOfRange", "Read from behind the end");
    },
  },
  {
    id: "bytestream-read/negative-offset",
    title: "a negative offset is OUT_OF_RANGE",
    source,
    async run(server) {
      await expectStatus(read(server, await stored(server), -1n), "outOfRange", "Read from -1");
    },
  },
  {
    id: "bytestream-read/negative-limit",
    title: "a negative limit is refused",
    source,
    async run(server) {
      const call = read(server, await stored(server), 0n, -1n);
      await expectStatus(call, ["invalidArgument", "outOfRange"], "Read of -1");
    },
  },
  {
    id: "bytestream-read/absent",
    title: "an absent blob is NOT_FOUND",
    source: "remote_execution.proto: a plain miss; FAILED_PRECONDITION is for Execute",
    async run(server) {
      await expectStatus(read(server, newBlob()), "notFound", "Read");
      const { digest, data } = await stored(server);
      const other = { digest: { hash: digest.hash, sizeBytes: 999n }, data };
      await expectStatus(read(server, other), "notFound", "Read with another size");
    },
  },
  {
    id: "bytestream-read/empty-blob",
    title: "the empty blob reads as nothing",
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      expectEqual((await expectOk(read(server, emptyBlob), "Read of the empty blob")).length, 0, "bytes");
    },
  },
  {
    id: "bytestream-read/malformed-names",
    title: "names that are none are refused",
    source: "remote_execution.proto, ContentAddressableStorage: resource names",
    async run(server) {
      const { digest } = await stored(server);
      for (const name of malformedNames) {
        const resourceName = name.replace("HASH", digest.hash).replace("HAS", digest.hash.slice(1));
        await expectStatus(readAll(server, { resourceName }), "invalidArgument", `Read of ${JSON.stringify(name)}`);
      }
    },
  },
  {
    id: "bytestream-read/name-in-header",
    title: "the resource name may come in a header as well",
    source: "remote_execution.proto: build.bazel.remote.execution.v2.resource-name",
    async run(server) {
      const blob = await stored(server);
      const resourceName = readName(server.instance, blob.digest);
      const headers = { "build.bazel.remote.execution.v2.resource-name": resourceName };
      expectBytes(await expectOk(readAll(server, { resourceName }, { headers }), "Read"), blob.data, "Read");
    },
  },
  {
    id: "bytestream-read/function-in-name",
    title: "the function of a hash whose length says it may be named",
    source: "remote_execution.proto, ContentAddressableStorage: resource names",
    async run(server) {
      const blob = await stored(server);
      const resourceName = readName(server.instance, blob.digest, `blobs/${sha256.name}`);
      expectBytes(await expectOk(readAll(server, { resourceName }), "Read"), blob.data, "Read");
    },
  },
  {
    id: "bytestream-read/cancelled",
    title: "a read that is given up disturbs nothing",
    source: "gRPC: clients cancel",
    async run(server) {
      const blob = newBlob(8 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      for (let i = 0; i < 20; i++) {
        const call = server.byteStream.read();
        await call.send({ resourceName: readName(server.instance, blob.digest) });
        call.halfClose();
        await call.receive();
        call.cancel();
      }
      expectBytes(await expectOk(read(server, blob), "Read"), blob.data, "Read");
    },
  },
];
