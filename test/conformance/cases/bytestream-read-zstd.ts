import { zstdDecompressSync } from "node:zlib";
import type { Case, Server } from "../case.ts";
import { emptyBlob, newBlob, newText, type TestBlob } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { stored } from "../support/stored.ts";

const source = "remote_execution.proto: compressed-blobs";

/** The whole of a compressed read, decompressed. */
async function readZstd(server: Server, blob: TestBlob, readOffset = 0n): Promise<{ packed: Buffer; plain: Buffer }> {
  const resourceName = readName(server.instance, blob.digest, "compressed-blobs/zstd");
  const packed = await expectOk(readAll(server, { resourceName, readOffset }), "Read of compressed-blobs/zstd");
  return { packed, plain: packed.length === 0 ? packed : zstdDecompressSync(packed) };
}

export const compressedReadCases: readonly Case[] = [
  {
    id: "bytestream-read-zstd/whole",
    title: "a blob comes compressed, named by what it is uncompressed",
    source,
    async run(server) {
      for (const blob of [newText(3_000_000), newBlob(3_000_000), newBlob(1)]) {
        await expectOk(writeBlob(server, server.instance, blob), "Write");
        expectBytes((await readZstd(server, blob)).plain, blob.data, "Read of compressed-blobs/zstd");
      }
    },
  },
  {
    id: "bytestream-read-zstd/smaller",
    title: "text comes smaller",
    source,
    async run(server) {
      const blob = await stored(server, newText(200_000));
      const { packed } = await readZstd(server, blob);
      expectTrue(packed.length < blob.data.length / 10, "the text is not a tenth of its size");
    },
  },
  {
    id: "bytestream-read-zstd/offset",
    title: "the offset counts uncompressed bytes",
    source: "remote_execution.proto: compressed-blobs, read_offset; Bazel goes on from there after a break",
    async run(server) {
      const blob = newText(3_000_000);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      for (const offset of [1, 1_500_000, 2_999_999, 3_000_000]) {
        const { plain } = await readZstd(server, blob, BigInt(offset));
        expectBytes(plain, blob.data.subarray(offset), `Read from ${offset}`);
      }
    },
  },
  {
    id: "bytestream-read-zstd/limit",
    title: "a limit is refused",
    source: "remote_execution.proto: compressed-blobs, read_limit must be 0",
    async run(server) {
      const { digest } = await stored(server, newText(5000));
      const resourceName = readName(server.instance, digest, "compressed-blobs/zstd");
      await expectStatus(readAll(server, { resourceName, readLimit: 10n }), "invalidArgument", "Read with a limit");
    },
  },
  {
    id: "bytestream-read-zstd/behind-the-end",
    title: "an offset behind the uncompressed end is OUT_OF_RANGE",
    source,
    async run(server) {
      const { digest } = await stored(server, newText(5000));
      const resourceName = readName(server.instance, digest, "compressed-blobs/zstd");
      for (const readOffset of [5001n, -1n]) {
        await expectStatus(readAll(server, { resourceName, readOffset }), "outOfRange", `Read from ${readOffset}`);
      }
    },
  },
  {
    id: "bytestream-read-zstd/absent",
    title: "an absent blob is NOT_FOUND",
    source,
    async run(server) {
      const resourceName = readName(server.instance, newBlob().digest, "compressed-blobs/zstd");
      await expectStatus(readAll(server, { resourceName }), "notFound", "Read");
    },
  },
  {
    id: "bytestream-read-zstd/empty-blob",
    title: "the empty blob reads as nothing, compressed too",
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      expectEqual((await readZstd(server, emptyBlob)).plain.length, 0, "bytes");
    },
  },
  {
    id: "bytestream-read-zstd/unserved-compressor",
    title: "a compressor that is not advertised is refused",
    source: "remote_execution.proto, CacheCapabilities.supported_compressors",
    async run(server) {
      const { digest } = await stored(server);
      for (const name of ["brotli", "none"]) {
        const resourceName = readName(server.instance, digest, `compressed-blobs/${name}`);
        await expectStatus(readAll(server, { resourceName }), "invalidArgument", `Read of compressed-blobs/${name}`);
      }
    },
  },
];
