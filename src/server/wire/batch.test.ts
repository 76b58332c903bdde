import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { sha256 } from "../../base/digest-function.ts";
import { varintLength, writeVarint } from "../../base/protobuf.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  Compressor_Value,
  DigestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { encodeEntry } from "../../store/batch-entry.ts";
import { bodyOf } from "../../store/put-each.ts";
import { anyDigest, anyDigests, valueIn } from "./arbitrary.fixture.ts";
import { maxBatchEntries } from "./batch-bounds.ts";
import { decodeBatchRead } from "./batch-read.ts";
import { decodeBatchUpdate } from "./batch-update.ts";
import { encodeBlobStatus, encodeStored } from "./blob-status.ts";

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
        const { batch, others, positions } = decoded;
        const plain = positions.map((position, i) => ({
          position,
          digest: batch.digests.at(i),
          data: Buffer.from(bodyOf(batch, i)),
          compressor: Compressor_Value.IDENTITY,
        }));
        const compressed = others.map((each) => ({ ...each, data: Buffer.from(each.data) }));
        assert.deepEqual(
          [...plain, ...compressed].toSorted((a, b) => a.position - b.position),
          requests.map((each, position) => ({
            position,
            digest: digests[position],
            data: Buffer.from(each.data),
            compressor,
          })),
        );
        const sizes = requests.map((each, i) => (zstd ? (digests[i]?.size ?? 0) : each.data.length));
        assert.equal(
          decoded.bytes,
          sizes.reduce((sum, size) => sum + size, 0),
        );
      },
    ),
  );
});

/** An odd varint: with so many bytes more than it needs. */
function varint(value: number, more: number): Buffer {
  const bytes = Buffer.alloc(varintLength(value) + more, 0x80);
  writeVarint(bytes, 0, value);
  for (let i = 0; i < bytes.length - 1; i++) bytes[i] = (bytes[i] as number) | 0x80;
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & 0x7f;
  return bytes;
}

/** Mostly nothing odd: else hardly an entry would be as it has to be. */
const oddity = fc.oneof(
  { weight: 30, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
);

/** An entry of a request that says the same in any of the ways in which it can be said. */
const anyEntry = fc
  .record({
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    odd: fc.array(oddity, { minLength: 12, maxLength: 12 }),
  })
  .map(({ bytes, odd }) => {
    const [a, b, c, d, e, f, g, h, swapDigest, swapEntry, extra, twice] = odd as number[] & { length: 12 };
    const hash = createHash("sha256").update(bytes).digest("hex");
    const field = (tag: number, more: number | undefined, length: number, value: Buffer): Buffer =>
      Buffer.concat([varint(tag, more ?? 0), varint(value.length, length), value]);
    const sizeField = Buffer.concat([varint(0x10, a ?? 0), varint(bytes.length, b ?? 0)]);
    const hashField = field(0x0a, c, d ?? 0, Buffer.from(hash));
    const digest = field(0x0a, e, f ?? 0, Buffer.concat(swapDigest ? [sizeField, hashField] : [hashField, sizeField]));
    const content = field(0x12, g, h ?? 0, Buffer.from(bytes));
    const fields = swapEntry ? [content, digest] : [digest, content];
    if (twice) fields.push(twice === 1 ? content : digest);
    if (extra === 1) fields.unshift(Buffer.of(0x18, 0));
    if (extra === 2) fields.push(Buffer.of(0x18, 0));
    if (extra === 3) fields.push(Buffer.of(0x3a, 0));
    return Buffer.concat(fields);
  });

test("what may be copied as an entry is one, byte for byte but for the tag", () => {
  const seen = { entries: 0, others: 0 };
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEntry, oddity, oddity), { minLength: 1, maxLength: 5 }), (entries) => {
      const request = entries.flatMap(([entry, a, b]) => [varint(0x12, a), varint(entry.length, b), entry]);
      const { batch, positions } = decodeBatchUpdate(Buffer.concat(request));
      assert.equal(positions.length, entries.length);
      for (let i = 0; i < entries.length; i++) {
        const body = bodyOf(batch, i);
        const entry = Buffer.from(encodeEntry(batch.digests, i, body));
        entry[0] = 0x12;
        const end = (batch.starts[i] as number) + body.length;
        const asItLies = end >= entry.length && entry.equals(batch.bytes.subarray(end - entry.length, end));
        assert.equal(batch.framed[i], asItLies);
        seen[asItLies ? "entries" : "others"]++;
      }
    }),
  );
  assert.ok(Math.min(seen.entries, seen.others) > 10, JSON.stringify(seen));
});

test("stored blobs are answered as the generated code reads it", () => {
  fc.assert(
    fc.property(anyDigests, ({ digests }) => {
      const named = digests.map(({ hash, size }) =>
        Buffer.from(toBinary(DigestSchema, create(DigestSchema, { hash, sizeBytes: BigInt(size) }))),
      );
      let end = 0;
      const places = named.flatMap(({ length }) => {
        end += length;
        return [end - length, end];
      });
      const answer = encodeStored(Buffer.concat(named), places);
      assert.deepEqual(answer, Buffer.concat(named.map((each) => encodeBlobStatus(each, 2, undefined))));
      assert.equal(fromBinary(BatchUpdateBlobsResponseSchema, answer).responses.length, digests.length);
    }),
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
  const { batch, positions, others } = decodeBatchUpdate(toBinary(BatchUpdateBlobsRequestSchema, message));
  assert.deepEqual(
    others.map(({ position, digest }) => [position, digest]),
    [0, 1, 2].map((position) => [position, undefined]),
  );
  assert.deepEqual([positions, batch.digests.at(0).hash, batch.digests.length], [[3], hash, 1]);
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
