import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { sha256 } from "../../base/digest-function.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  Compressor_Value,
  DigestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { anyDigest, anyDigests, valueIn } from "./arbitrary.fixture.ts";
import { maxBatchEntries } from "./batch-bounds.ts";
import { decodeBatchRead } from "./batch-read.ts";
import { decodeBatchUpdate } from "./batch-update.ts";
import { encodeBlobStatus } from "./blob-status.ts";

const hash = "a".repeat(64);
const data = Buffer.from("hello");

test("a batch of updates is decoded as the generated code encodes it", () => {
  fc.assert(
    fc.property(
      anyDigests,
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.boolean(),
      ({ fn, digests }, blobs, zstd) => {
        const compressor = zstd ? Compressor_Value.ZSTD : Compressor_Value.IDENTITY;
        const requests = digests.map(({ hash, size }, i) => ({
          digest: create(DigestSchema, { hash, sizeBytes: BigInt(size) }),
          data: blobs[i] ?? data,
          compressor,
        }));
        const message = create(BatchUpdateBlobsRequestSchema, {
          instanceName: "a/b",
          requests,
          digestFunction: fn.value,
        });
        const decoded = decodeBatchUpdate(toBinary(BatchUpdateBlobsRequestSchema, message));
        assert.equal(decoded.instance, "a/b");
        assert.deepEqual(
          decoded.entries.map((each) => each.digest),
          digests,
        );
        assert.deepEqual(
          decoded.entries.map((each) => [Buffer.from(each.data), each.compressor]),
          requests.map((each) => [Buffer.from(each.data), compressor]),
        );
      },
    ),
  );
});

test("a bad digest spoils its own entry alone", () => {
  const requests = [
    { digest: { hash: "no hash", sizeBytes: 5n }, data },
    { data },
    { digest: { hash, sizeBytes: 0n } },
    { digest: { hash, sizeBytes: 5n }, data },
  ];
  const message = create(BatchUpdateBlobsRequestSchema, { requests });
  const { entries } = decodeBatchUpdate(toBinary(BatchUpdateBlobsRequestSchema, message));
  assert.deepEqual(
    entries.map(({ digest }) => digest?.hash),
    [undefined, undefined, undefined, hash],
  );
});

test("a batch of reads is decoded as the generated code encodes it", () => {
  fc.assert(
    fc.property(anyDigests, fc.boolean(), ({ fn, digests }, named) => {
      const message = create(BatchReadBlobsRequestSchema, {
        instanceName: "x",
        digests: digests.map(({ hash, size }) => ({ hash, sizeBytes: BigInt(size) })),
        acceptableCompressors: [Compressor_Value.ZSTD, Compressor_Value.BROTLI],
        digestFunction: valueIn(fn, named),
      });
      const decoded = decodeBatchRead(toBinary(BatchReadBlobsRequestSchema, message));
      assert.deepEqual(
        digests.map((_, i) => decoded.digests.at(i)),
        digests,
      );
      assert.deepEqual([...decoded.compressors], [1, 3]);
      const [first] = decoded.encoded;
      assert.equal(fromBinary(DigestSchema, first ?? data).hash, digests[0]?.hash);
    }),
  );
});

test("a malformed digest among reads is set apart", () => {
  const message = create(BatchReadBlobsRequestSchema, {
    digests: [
      { hash, sizeBytes: 5n },
      { hash: "x", sizeBytes: 1n },
    ],
  });
  const decoded = decodeBatchRead(toBinary(BatchReadBlobsRequestSchema, message));
  assert.equal(decoded.digests.length, 1);
  assert.deepEqual(
    decoded.malformed.map((each) => fromBinary(DigestSchema, each).hash),
    ["x"],
  );
});

test("another hash with the size of the empty blob is malformed", () => {
  const message = create(BatchReadBlobsRequestSchema, { digests: [{ hash, sizeBytes: 0n }] });
  const { digests, malformed } = decodeBatchRead(toBinary(BatchReadBlobsRequestSchema, message));
  assert.deepEqual([digests.length, malformed.length], [0, 1]);
});

test("compressors that do not exist are no long list", () => {
  const acceptableCompressors = Array.from({ length: 1000 }, (_, i) => i as Compressor_Value);
  const message = create(BatchReadBlobsRequestSchema, { acceptableCompressors });
  const packed = decodeBatchRead(toBinary(BatchReadBlobsRequestSchema, message)).compressors;
  const single = decodeBatchRead(
    Buffer.concat(acceptableCompressors.map((i) => Buffer.of(0x18, (i & 127) | 128, i >> 7))),
  );
  assert.ok(packed.size <= 256 && single.compressors.size <= 256);
});

test("a blob's status is encoded as the generated code reads it", () => {
  fc.assert(
    fc.property(anyDigest(sha256), fc.nat({ max: 16 }), fc.string(), (digest, code, message) => {
      const encoded = toBinary(
        DigestSchema,
        create(DigestSchema, { hash: digest.hash, sizeBytes: BigInt(digest.size) }),
      );
      const expected = [digest.hash, code, Buffer.from(message).toString()];
      const update = fromBinary(BatchUpdateBlobsResponseSchema, encodeBlobStatus(encoded, 2, { code, message }));
      const read = fromBinary(BatchReadBlobsResponseSchema, encodeBlobStatus(encoded, 3, { code, message }));
      for (const [response] of [update.responses, read.responses]) {
        assert.deepEqual([response?.digest?.hash, response?.status?.code, response?.status?.message], expected);
      }
      const fine = fromBinary(BatchUpdateBlobsResponseSchema, encodeBlobStatus(encoded, 2, undefined));
      assert.deepEqual([fine.responses[0]?.digest?.hash, fine.responses[0]?.status], [digest.hash, undefined]);
    }),
  );
});

for (const decode of [decodeBatchRead, decodeBatchUpdate]) {
  test(`${decode.name}: a batch has no more entries than an answer can name`, () => {
    const empty = Buffer.alloc(maxBatchEntries * 2).fill(Buffer.of(0x12, 0));
    decode(empty);
    assert.throws(() => decode(Buffer.concat([empty, Buffer.of(0x12, 0)])), { code: "invalid" });
  });

  test(`${decode.name}: garbage is decoded or refused, nothing else`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "invalid");
        }
      }),
      { numRuns: 2000 },
    );
  });
}
