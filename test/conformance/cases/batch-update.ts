import type { Case } from "../case.ts";
import { refusesEntry, updateBatch } from "../support/batches.ts";
import { emptyBlob, newBlob } from "../support/blobs.ts";
import { readAll, readName } from "../support/byte-stream.ts";
import { expectBytes, expectEntry, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { expectNotStored } from "../support/stored.ts";
import { cacheCapabilities } from "./capabilities.ts";

const source = "remote_execution.proto, BatchUpdateBlobs";

export const batchUpdateCases: readonly Case[] = [
  {
    id: "batch-update/round-trip",
    title: "what was uploaded is read back",
    source,
    async run(server) {
      const blob = newBlob(1000);
      expectEntry((await updateBatch(server, [blob])).get(blob.digest.hash), "ok", "a good blob");
      const read = await readAll(server, { resourceName: readName(server.instance, blob.digest) });
      expectBytes(read, blob.data, "Read");
    },
  },
  {
    id: "batch-update/again",
    title: "a blob that is there, and one twice in a batch, are taken",
    source,
    async run(server) {
      const blob = newBlob();
      for (let i = 0; i < 2; i++) {
        const requests = [blob, blob];
        const { responses } = await expectOk(
          server.cas.batchUpdateBlobs({ instanceName: server.instance, requests }),
          "BatchUpdateBlobs",
        );
        for (const { status } of responses) expectEntry(status, "ok", "a good blob");
      }
    },
  },
  {
    id: "batch-update/nothing",
    title: "a batch of nothing succeeds",
    source,
    async run(server) {
      await updateBatch(server, []);
    },
  },
  {
    id: "batch-update/empty-blob",
    title: "the empty blob may be uploaded",
    source: `${source}; casd does at times`,
    async run(server) {
      expectEntry((await updateBatch(server, [emptyBlob])).get(emptyBlob.digest.hash), "ok", "the empty blob");
    },
  },
  {
    id: "batch-update/wrong-hash",
    title: "data with another hash is refused, alone",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const blob = newBlob();
      await refusesEntry(server, { digest: blob.digest, data: newBlob().data }, "wrong hash");
      await expectNotStored(server, blob);
    },
  },
  {
    id: "batch-update/wrong-size",
    title: "data of another size is refused, alone",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { digest, data } = newBlob();
      const wrong = { digest: { hash: digest.hash, sizeBytes: 101n }, data };
      await refusesEntry(server, wrong, "wrong size");
      await expectNotStored(server, wrong);
    },
  },
  {
    id: "batch-update/wrong-data-of-a-known-blob",
    title: "wrong data is refused although the blob is there",
    source: `${source}: INVALID_ARGUMENT; hash and size are verified on every write`,
    async run(server) {
      const blob = newBlob();
      await updateBatch(server, [blob]);
      await refusesEntry(server, { digest: blob.digest, data: newBlob().data }, "wrong data");
    },
  },
  {
    id: "batch-update/data-for-the-empty-blob",
    title: "data for the empty blob is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      await refusesEntry(server, { digest: emptyBlob.digest, data: newBlob().data }, "data for the empty blob");
    },
  },
  {
    id: "batch-update/malformed-digest",
    title: "a malformed digest fails its own entry alone",
    source: `${source}: a status per blob`,
    async run(server) {
      await refusesEntry(server, { digest: { hash: "no hash", sizeBytes: 3n }, data: Buffer.from("abc") }, "no hash");
      const upper = newBlob();
      const hash = `AB${upper.digest.hash.slice(2)}`;
      await refusesEntry(server, { digest: { hash, sizeBytes: 100n }, data: upper.data }, "upper case");
    },
  },
  {
    id: "batch-update/negative-size",
    title: "a negative size fails its own entry alone",
    source: `${source}: a status per blob`,
    async run(server) {
      const { digest, data } = newBlob();
      await refusesEntry(server, { digest: { hash: digest.hash, sizeBytes: -1n }, data }, "negative size");
    },
  },
  {
    id: "batch-update/empty-size-other-hash",
    title: "size 0 with the hash of something else is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { digest } = newBlob();
      await refusesEntry(server, { digest: { hash: digest.hash, sizeBytes: 0n } }, "no data, another hash");
    },
  },
  {
    id: "batch-update/at-the-limit",
    title: "a batch of just the limit is taken",
    source: "remote_execution.proto, CacheCapabilities.max_batch_total_size_bytes",
    async run(server) {
      const { maxBatchTotalSizeBytes: limit } = await cacheCapabilities(server, server.instance);
      expectTrue(limit > 0n, "no limit is advertised");
      const half = Number(limit) / 2;
      const blobs = [newBlob(Math.floor(half)), newBlob(Math.ceil(half))];
      for (const status of (await updateBatch(server, blobs)).values()) expectEntry(status, "ok", "a good blob");
    },
  },
  {
    id: "batch-update/over-the-limit",
    title: "a batch over the limit fails as a whole",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { maxBatchTotalSizeBytes: limit } = await cacheCapabilities(server, server.instance);
      expectTrue(limit > 0n, "no limit is advertised");
      const requests = [newBlob(Number(limit)), newBlob(1)];
      const call = server.cas.batchUpdateBlobs({ instanceName: server.instance, requests });
      await expectStatus(call, "invalidArgument", "BatchUpdateBlobs");
    },
  },
  {
    id: "batch-update/no-digest",
    title: "an entry without a digest fails alone",
    source: `${source}: a status per blob`,
    async run(server) {
      await refusesEntry(server, { data: newBlob().data }, "no digest");
    },
  },
  {
    id: "batch-update/many",
    title: "thousands of tiny blobs in one batch",
    source: "casd: limit / 256 entries in a batch",
    async run(server) {
      const blobs = Array.from({ length: 4000 }, () => newBlob(8));
      const statuses = await updateBatch(server, blobs);
      expectEqual(statuses.size, blobs.length, "different digests answered");
      for (const status of statuses.values()) expectEntry(status, "ok", "a good blob");
    },
  },
  {
    id: "batch-update/every-size",
    title: "sizes around the bounds of buffers and packs are read back",
    source,
    async run(server) {
      const { maxBatchTotalSizeBytes } = await cacheCapabilities(server, server.instance);
      const limit = Number(maxBatchTotalSizeBytes) || 4 << 20;
      const powers = [1, 127, 128, 4096, 16_384, 65_536, 1 << 20].flatMap((size) => [size - 1, size, size + 1]);
      for (const size of powers.filter((each) => each > 0 && each <= limit)) {
        const blob = newBlob(size);
        expectEntry((await updateBatch(server, [blob])).get(blob.digest.hash), "ok", `a blob of ${size} bytes`);
        const read = await readAll(server, { resourceName: readName(server.instance, blob.digest) });
        expectBytes(read, blob.data, `Read of ${size} bytes`);
      }
    },
  },
];
