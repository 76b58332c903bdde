import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { blake3, digestFunctions, sha256 } from "../../base/digest-function.ts";
import {
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { anyDigest, anyDigests, valueIn } from "./arbitrary.fixture.ts";
import { decodeFindMissing, encodeMissing } from "./find-missing.ts";

const encode = (message: Parameters<typeof create<typeof FindMissingBlobsRequestSchema>>[1]): Uint8Array =>
  toBinary(FindMissingBlobsRequestSchema, create(FindMissingBlobsRequestSchema, message));

test("decodes what the generated code encodes", () => {
  fc.assert(
    fc.property(anyDigests, fc.string(), fc.boolean(), ({ fn, digests }, instanceName, named) => {
      const blobDigests = digests.map(({ hash, size }) => ({ hash, sizeBytes: BigInt(size) }));
      const request = encode({ instanceName, blobDigests, digestFunction: valueIn(fn, named) });
      const decoded = decodeFindMissing(request);
      assert.equal(decoded.instance, Buffer.from(instanceName).toString());
      assert.deepEqual(
        digests.map((_, i) => decoded.digests.at(i)),
        digests,
      );
      assert.equal(decoded.digests.length, digests.length);
    }),
  );
});

test("the answer holds the missing digests, each once", () => {
  fc.assert(
    fc.property(anyDigests, fc.integer({ min: 1, max: 5 }), ({ fn, digests }, step) => {
      const twice = [...digests, ...digests];
      const blobDigests = twice.map(({ hash, size }) => ({ hash, sizeBytes: BigInt(size) }));
      const request = encode({ blobDigests, digestFunction: valueIn(fn, false) });
      const positions = twice.map((_, i) => i).filter((i) => i % step === 0);
      const answer = fromBinary(
        FindMissingBlobsResponseSchema,
        encodeMissing(request, decodeFindMissing(request), positions),
      );
      const expected = new Set(positions.map((i) => `${twice[i]?.hash}/${twice[i]?.size}`));
      assert.deepEqual(
        answer.missingBlobDigests.map(({ hash, sizeBytes }) => `${hash}/${sizeBytes}`),
        [...expected],
      );
    }),
  );
});

const hash = "a".repeat(64);

test("digests without hash and size are passed over", () => {
  const decoded = decodeFindMissing(encode({ blobDigests: [{}, { hash, sizeBytes: 5n }, {}] }));
  assert.equal(decoded.digests.length, 1);
});

const bad: Record<string, Uint8Array> = {
  "a hash in capitals": encode({ blobDigests: [{ hash: hash.toUpperCase(), sizeBytes: 1n }] }),
  "a hash of no function": encode({ blobDigests: [{ hash: "abc", sizeBytes: 1n }] }),
  "hashes of two functions": encode({
    blobDigests: [
      { hash, sizeBytes: 1n },
      { hash: "b".repeat(40), sizeBytes: 1n },
    ],
  }),
  "another function's hashes": encode({ blobDigests: [{ hash, sizeBytes: 1n }], digestFunction: 2 }),
  "a function not served": encode({ blobDigests: [], digestFunction: 3 }),
  "a size below zero": encode({ blobDigests: [{ hash, sizeBytes: -1n }] }),
  "another hash with the size of the empty blob": encode({ blobDigests: [{ hash, sizeBytes: 0n }] }),
  "a size and no hash": encode({ blobDigests: [{ sizeBytes: 1n }] }),
  "a cut message": encode({ blobDigests: [{ hash, sizeBytes: 1n }] }).subarray(0, 30),
  "a group without an end": Uint8Array.of(0x0b),
  "field number 0": Uint8Array.of(0x00, 0x01),
  "a varint without end": new Uint8Array(11).fill(0xff),
};

for (const [what, request] of Object.entries(bad)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => decodeFindMissing(request), { code: "invalid" });
  });
}

test("garbage is decoded or refused, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeFindMissing(bytes);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "invalid");
      }
    }),
    { numRuns: 2000 },
  );
});

test("a digest of each function is read alike", () => {
  for (const fn of digestFunctions) {
    const [digest] = fc.sample(anyDigest(fn), 1);
    const blobDigests = [{ hash: digest?.hash ?? "", sizeBytes: BigInt(digest?.size ?? 0) }];
    const request = encode({ blobDigests, digestFunction: valueIn(fn, false) });
    assert.deepEqual(decodeFindMissing(request).digests.at(0), digest);
  }
});

test("the function counts wherever it stands, and whatever the last bytes look like", () => {
  const digests = encode({ blobDigests: [{ hash: blake3.emptyHash }, { hash, sizeBytes: 5n }] });
  const named = encode({ digestFunction: blake3.value });
  const instance = encode({ instanceName: "x" });
  for (const request of [
    [digests, named],
    [named, digests],
    [digests, named, instance],
  ].map((parts) => Buffer.concat(parts))) {
    const decoded = decodeFindMissing(request).digests;
    assert.deepEqual([decoded.function, decoded.at(0).size, decoded.at(1).hash], [blake3, 0, hash]);
  }
  const misleading = encode({ blobDigests: [{ hash, sizeBytes: 5n }], instanceName: "" });
  const tail = Buffer.concat([misleading, Buffer.of(0x7a, 2, 0x18, blake3.value)]); // an unknown field of two bytes
  assert.equal(decodeFindMissing(tail).digests.function, sha256);
  assert.throws(() => decodeFindMissing(encode({ blobDigests: [{ hash: blake3.emptyHash }] })), { code: "invalid" });
});
