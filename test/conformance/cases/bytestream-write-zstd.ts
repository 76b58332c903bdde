import { zstdCompressSync } from "node:zlib";
import type { Case, Server } from "../case.ts";
import { emptyBlob, newBlob, newText, type TestBlob } from "../support/blobs.ts";
import { chunksOf, committed, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { expectNotStored, expectStored } from "../support/stored.ts";
import { committedAtLeast } from "./bytestream-resume.ts";

const source = "remote_execution.proto: compressed-blobs";
const kind = "compressed-blobs/zstd";

function writePacked(server: Server, { digest }: TestBlob, packed: Uint8Array, size = 1 << 20): Promise<bigint> {
  return writeMessages(server, chunksOf(writeName(server.instance, digest, kind), packed, { size }));
}

export const compressedWriteCases: readonly Case[] = [
  {
    id: "bytestream-write-zstd/round-trip",
    title: "compressed data is stored plain; committed_size is the bytes sent, or -1",
    source: `${source}; Bazel accepts the bytes sent or -1`,
    async run(server) {
      for (const blob of [newText(5_000_000), newBlob(3_000_000), newBlob(1)]) {
        const packed = zstdCompressSync(blob.data);
        const size = await expectOk(writePacked(server, blob, packed), "Write");
        expectTrue(size === -1n || size === BigInt(packed.length), "committed_size is neither the bytes sent nor -1");
        await expectStored(server, blob);
      }
    },
  },
  {
    id: "bytestream-write-zstd/cut-anywhere",
    title: "messages may cut the compressed data anywhere",
    source,
    async run(server) {
      const blob = newText(20_000);
      await expectOk(writePacked(server, blob, zstdCompressSync(blob.data), 7), "Write in messages of 7 bytes");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write-zstd/frames",
    title: "compressed data may be several frames",
    source: "RFC 8878, section 3: frames follow one another",
    async run(server) {
      const blob = newText(1_000_000);
      const frames = [blob.data.subarray(0, 300_000), blob.data.subarray(300_000)].map((each) =>
        zstdCompressSync(each),
      );
      await expectOk(writePacked(server, blob, Buffer.concat(frames)), "Write of two frames");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-write-zstd/early-answer",
    title: "a blob that is there is answered at once, with -1",
    source: `${source}: early return`,
    async run(server) {
      const blob = newBlob(4 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      const call = server.byteStream.write();
      const [first] = chunksOf(writeName(server.instance, blob.digest, kind), zstdCompressSync(blob.data));
      await call.send(first ?? {});
      expectEqual(await expectOk(committed(call), "Write of one message of several"), -1n, "committed_size");
    },
  },
  {
    id: "bytestream-write-zstd/broken",
    title: "what is not compressed, cut, or of other bytes is refused",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      const blob = newText(100_000);
      const packed = zstdCompressSync(blob.data);
      const wrong = {
        "what is not compressed": blob.data,
        "what is cut": packed.subarray(0, packed.length - 5),
        "other bytes": zstdCompressSync(newText(100_000).data),
        "fewer bytes": zstdCompressSync(blob.data.subarray(1)),
        "more bytes": Buffer.concat([packed, zstdCompressSync(Buffer.from("more"))]),
        "something else behind it": Buffer.concat([packed, Buffer.from("and more")]),
      };
      for (const [what, data] of Object.entries(wrong)) {
        await expectStatus(writePacked(server, blob, data), "invalidArgument", `Write of ${what}`);
        await expectNotStored(server, blob);
      }
    },
  },
  {
    id: "bytestream-write-zstd/bomb",
    title: "compressed data that grows beyond its digest is refused",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      const data = zstdCompressSync(Buffer.alloc(256 << 20));
      await expectStatus(writePacked(server, newBlob(), data), "invalidArgument", "Write of 256 MiB for 100 bytes");
    },
  },
  {
    id: "bytestream-write-zstd/empty-blob",
    title: "the empty blob may be written compressed",
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      await expectOk(writePacked(server, emptyBlob, zstdCompressSync(emptyBlob.data)), "Write of an empty frame");
      await expectOk(writePacked(server, emptyBlob, emptyBlob.data), "Write of no bytes");
    },
  },
  {
    id: "bytestream-write-zstd/unserved-compressor",
    title: "a compressor that is not advertised is refused",
    source: "remote_execution.proto, CacheCapabilities.supported_compressors",
    async run(server) {
      const { digest, data } = newBlob();
      const name = writeName(server.instance, digest, "compressed-blobs/brotli");
      await expectStatus(writeMessages(server, chunksOf(name, data)), "invalidArgument", "Write of brotli");
    },
  },
  {
    id: "bytestream-write-zstd/resume",
    title: "a compressed upload that was cut goes on from an offset of uncompressed bytes",
    source: `${source}, QueryWriteStatus and write_offset`,
    async run(server) {
      const blob = newText(4_000_000);
      const resourceName = writeName(server.instance, blob.digest, kind);
      const half = blob.data.length / 2;
      const lost = server.connect();
      const call = lost.byteStream.write();
      await call.send({ resourceName, data: zstdCompressSync(blob.data.subarray(0, half)) });
      await committedAtLeast(server, resourceName, BigInt(half));
      lost.channel.destroy();
      const from = Number(await committedAtLeast(server, resourceName, 1n));
      expectTrue(from <= half, "more is committed than was sent");
      const rest = zstdCompressSync(blob.data.subarray(from));
      await expectOk(writeMessages(server, chunksOf(resourceName, rest, { from, size: 100 })), "Write of the rest");
      await expectStored(server, blob);
    },
  },
];
