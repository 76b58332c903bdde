import { constants, zstdCompressSync } from "node:zlib";
import { Compressor_Value } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { refusesEntry, updateBatch } from "../support/batches.ts";
import { emptyBlob, newBlob, newText } from "../support/blobs.ts";
import { readAll, readName } from "../support/byte-stream.ts";
import { expectBytes, expectEntry } from "../support/expect.ts";
import { expectNotStored } from "../support/stored.ts";

const source = "remote_execution.proto, BatchUpdateBlobs";

const compressor = Compressor_Value.ZSTD;

export const batchUpdateZstdCases: readonly Case[] = [
  {
    id: "batch-update/zstd",
    title: "compressed data is stored plain",
    source: "remote_execution.proto, BatchUpdateBlobsRequest.Request.compressor",
    async run(server) {
      const [text, empty] = [newText(100_000), emptyBlob];
      const packed = [text, empty].map(({ digest, data }) => ({ digest, data: zstdCompressSync(data), compressor }));
      for (const status of (await updateBatch(server, packed)).values()) expectEntry(status, "ok", "a compressed blob");
      const read = await readAll(server, { resourceName: readName(server.instance, text.digest) });
      expectBytes(read, text.data, "Read");
    },
  },
  {
    id: "batch-update/zstd-frames",
    title: "compressed data of several frames, sizes unsaid, is stored",
    source: "RFC 8878, section 3: frames follow one another",
    async run(server) {
      const { digest, data } = newText(100_000);
      const params = { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 };
      const frames = [data.subarray(0, 60_000), data.subarray(60_000)].map((each) =>
        zstdCompressSync(each, { params }),
      );
      const entry = { digest, data: Buffer.concat(frames), compressor };
      expectEntry((await updateBatch(server, [entry])).get(digest.hash), "ok", "a compressed blob");
    },
  },
  {
    id: "batch-update/zstd-broken",
    title: "compressed data that is none, cut, of other bytes, or followed by something else is refused, alone",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { digest, data } = newText(10_000);
      const packed = zstdCompressSync(data);
      await refusesEntry(server, { digest, data, compressor }, "not compressed");
      await refusesEntry(server, { digest, data: packed.subarray(0, packed.length - 4), compressor }, "cut");
      await refusesEntry(server, { digest, data: zstdCompressSync(newText(10_000).data), compressor }, "other bytes");
      await refusesEntry(
        server,
        { digest, data: Buffer.concat([packed, Buffer.from("and more")]), compressor },
        "more",
      );
      await expectNotStored(server, { digest, data });
    },
  },
  {
    id: "batch-update/zstd-bomb",
    title: "compressed data that grows beyond its digest is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { digest } = newBlob();
      const data = zstdCompressSync(Buffer.alloc(256 << 20));
      await refusesEntry(server, { digest, data, compressor }, "256 MiB for 100 bytes");
    },
  },
  {
    id: "batch-update/unserved-compressor",
    title: "a compressor that is not advertised is refused",
    source: "remote_execution.proto, CacheCapabilities.supported_batch_update_compressors",
    async run(server) {
      const { digest, data } = newBlob();
      await refusesEntry(server, { digest, data, compressor: Compressor_Value.BROTLI }, "brotli");
      await expectNotStored(server, { digest, data });
    },
  },
];
