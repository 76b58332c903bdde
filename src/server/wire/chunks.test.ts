import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { DigestList } from "../../base/digest-list.ts";
import {
  type ChunkingFunction_Value,
  SpliceBlobRequestSchema,
  SplitBlobResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { anyDigests, valueIn } from "./arbitrary.fixture.ts";
import { maxBatchEntries } from "./batch-bounds.ts";
import { decodeSplice, encodeSplit } from "./chunks.ts";

const encode = (init: MessageInitShape<typeof SpliceBlobRequestSchema>): Uint8Array =>
  toBinary(SpliceBlobRequestSchema, create(SpliceBlobRequestSchema, init));

test("a splice is decoded as the generated code encodes it", () => {
  fc.assert(
    fc.property(
      anyDigests,
      fc.boolean(),
      fc.constantFrom<ChunkingFunction_Value>(0, 1, 2),
      ({ fn, digests }, named, chunkingFunction) => {
        const [blobDigest, ...chunkDigests] = digests.map(({ hash, size }) => ({ hash, sizeBytes: BigInt(size) }));
        const request = {
          instanceName: "a/b",
          blobDigest: blobDigest as { hash: string; sizeBytes: bigint },
          chunkDigests,
        };
        const decoded = decodeSplice(encode({ ...request, digestFunction: valueIn(fn, named), chunkingFunction }));
        const chunks = chunkDigests.map((_, i) => decoded.chunks.at(i));
        assert.deepEqual([decoded.blob, ...chunks], digests);
        assert.deepEqual([decoded.instance, decoded.chunkingFunction], ["a/b", chunkingFunction]);
        assert.deepEqual([decoded.chunks.length, decoded.chunks.function], [chunkDigests.length, fn]);
      },
    ),
  );
});

const hash = "a".repeat(64);
const blobDigest = { hash, sizeBytes: 5n };
const bad: Record<string, Uint8Array> = {
  "no blob": encode({ chunkDigests: [blobDigest] }),
  "a blob without a hash": encode({ blobDigest: { sizeBytes: 5n } }),
  "a blob of no function": encode({ blobDigest: { hash: "abc", sizeBytes: 5n } }),
  "a blob of another function": encode({ blobDigest, digestFunction: 2 }),
  "a function not served": encode({ blobDigest, digestFunction: 3 }),
  "a chunk of another function": encode({ blobDigest, chunkDigests: [{ hash: "b".repeat(40), sizeBytes: 5n }] }),
  "a chunk without a hash": encode({ blobDigest, chunkDigests: [{}] }),
  "a size below zero": encode({ blobDigest, chunkDigests: [{ hash, sizeBytes: -5n }] }),
  "too many chunks": Buffer.concat([
    encode({ blobDigest }),
    Buffer.alloc((maxBatchEntries + 1) * 2, Buffer.of(0x1a, 0)),
  ]),
};

for (const [what, request] of Object.entries(bad)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => decodeSplice(request), { code: "invalid" });
  });
}

test("garbage is decoded or refused, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeSplice(bytes);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "invalid");
      }
    }),
    { numRuns: 2000 },
  );
});

test("a list of chunks is encoded as the generated code reads it", () => {
  fc.assert(
    fc.property(anyDigests, fc.nat(2), ({ fn, digests }, chunkingFunction) => {
      const list = new DigestList(fn);
      for (const digest of digests) list.push(digest);
      const answer = fromBinary(SplitBlobResponseSchema, encodeSplit(list, chunkingFunction));
      assert.equal(answer.chunkingFunction, chunkingFunction);
      const found = answer.chunkDigests.map((each) => [each.hash, each.sizeBytes]);
      assert.deepEqual(
        found,
        digests.map((each) => [each.hash, BigInt(each.size)]),
      );
    }),
  );
});
