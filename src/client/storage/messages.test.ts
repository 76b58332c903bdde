import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import {
  QueryWriteStatusRequestSchema,
  QueryWriteStatusResponseSchema,
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from "../../gen/google/bytestream/bytestream_pb.ts";
import { AskedDigests } from "./asked-digests.ts";
import { decodeBatchRead } from "./batch-read-message.ts";
import { decodeBatchUpdate, encodeBatchUpdate } from "./batch-update-message.ts";
import {
  committedSize,
  encodeQueryWriteStatus,
  encodeReadRequest,
  readResponseData,
  writeRequestHead,
  writeStatus,
} from "./byte-stream-message.ts";
import { encodeDigestQuestion } from "./digest-question.ts";
import { decodeMissing } from "./find-missing-message.ts";

// What is encoded and decoded by hand agrees with the generated code.

const instance = fc.oneof(fc.constant(""), fc.string({ maxLength: 300, unit: "grapheme" }));
const digest: fc.Arbitrary<Digest> = fc
  .tuple(fc.uint8Array({ maxLength: 20 }), fc.oneof(fc.nat(300), fc.maxSafeNat()))
  .map(([bytes, size]) => ({ ...digestOf(sha256, bytes), size }));
const digests = fc.uniqueArray(digest, { maxLength: 20, selector: ({ hash }) => hash });
const blob = fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ digest: digestOf(sha256, bytes), bytes }));
const blobs = fc.uniqueArray(blob, { maxLength: 20, selector: ({ digest: { hash } }) => hash });
const status = fc.option(fc.record({ code: fc.nat(16), message: fc.string() }), { nil: undefined });
const offset = fc.oneof(fc.constant(0), fc.maxSafeNat());

const message = ({ hash, size }: Digest) => ({ hash, sizeBytes: BigInt(size) });
const plain = ({ code, message: text }: { code: number; message: string }) =>
  code === 0 ? { code, message: "" } : { code, message: text };

test("FindMissingBlobs", () => {
  fc.assert(
    fc.property(instance, digests, fc.nat(), (instanceName, asked, some) => {
      const request = fromBinary(FindMissingBlobsRequestSchema, encodeDigestQuestion(instanceName, asked));
      assert.equal(request.instanceName, instanceName);
      assert.deepEqual(
        request.blobDigests.map(({ hash, sizeBytes }) => [hash, sizeBytes]),
        asked.map((each) => [each.hash, BigInt(each.size)]),
      );
      const missing = asked.filter((_, i) => (some >> i) & 1);
      const init = create(FindMissingBlobsResponseSchema, { missingBlobDigests: missing.map(message) });
      const response = toBinary(FindMissingBlobsResponseSchema, init);
      assert.deepEqual([...decodeMissing(response, new AskedDigests(asked))], missing);
    }),
  );
});

test("an answer about a blob that was not asked about, or with another size, is broken", () => {
  const known = digestOf(sha256, Uint8Array.of(1));
  for (const other of [digestOf(sha256, Uint8Array.of(2)), { ...known, size: 2 }]) {
    const init = create(FindMissingBlobsResponseSchema, { missingBlobDigests: [message(other)] });
    const response = toBinary(FindMissingBlobsResponseSchema, init);
    assert.throws(() => decodeMissing(response, new AskedDigests([known])), { code: "unavailable" });
  }
});

test("BatchReadBlobs", () => {
  fc.assert(
    fc.property(instance, blobs, fc.array(status, { maxLength: 20 }), (instanceName, stored, statuses) => {
      const asked = stored.map((each) => each.digest);
      const request = fromBinary(BatchReadBlobsRequestSchema, encodeDigestQuestion(instanceName, asked));
      assert.equal(request.instanceName, instanceName);
      assert.deepEqual(
        request.digests.map(({ hash }) => hash),
        asked.map(({ hash }) => hash),
      );
      const responses = stored.map(({ digest: each, bytes }, i) => {
        const answer = statuses[i];
        return { digest: message(each), data: bytes, ...(answer && { status: answer }) };
      });
      const response = toBinary(BatchReadBlobsResponseSchema, create(BatchReadBlobsResponseSchema, { responses }));
      const entries = [...decodeBatchRead(response, new AskedDigests(asked))];
      assert.deepEqual(
        entries.map((entry) => [entry.digest, Buffer.from(entry.data).toString("hex"), entry.status]),
        stored.map((each, i) => [
          each.digest,
          Buffer.from(each.bytes).toString("hex"),
          plain(statuses[i] ?? { code: 0, message: "" }),
        ]),
      );
      assert.deepEqual([...decodeBatchRead(response, new AskedDigests([]))], []);
    }),
  );
});

test("BatchUpdateBlobs", () => {
  fc.assert(
    fc.property(instance, blobs, fc.array(status, { maxLength: 20 }), (instanceName, sent, statuses) => {
      const request = fromBinary(BatchUpdateBlobsRequestSchema, encodeBatchUpdate(instanceName, sent));
      assert.equal(request.instanceName, instanceName);
      assert.deepEqual(
        request.requests.map((each) => [
          each.digest?.hash,
          Number(each.digest?.sizeBytes),
          Buffer.from(each.data).toString("hex"),
        ]),
        sent.map((each) => [each.digest.hash, each.digest.size, Buffer.from(each.bytes).toString("hex")]),
      );
      const responses = sent.map(({ digest: each }, i) => {
        const answer = statuses[i];
        return { digest: message(each), ...(answer && { status: answer }) };
      });
      const response = toBinary(BatchUpdateBlobsResponseSchema, create(BatchUpdateBlobsResponseSchema, { responses }));
      const decoded = decodeBatchUpdate(response, new AskedDigests(sent.map((each) => each.digest)));
      assert.deepEqual(
        [...decoded.values()],
        sent.map((_, i) => plain(statuses[i] ?? { code: 0, message: "" })),
      );
    }),
  );
});

test("the byte stream's messages", () => {
  fc.assert(
    fc.property(instance, offset, fc.boolean(), fc.uint8Array({ maxLength: 300 }), (name, at, flag, data) => {
      const read = fromBinary(ReadRequestSchema, encodeReadRequest(name, at));
      assert.deepEqual([read.resourceName, read.readOffset], [name, BigInt(at)]);
      const given = toBinary(ReadResponseSchema, create(ReadResponseSchema, { data }));
      assert.deepEqual(Buffer.from(readResponseData(given)), Buffer.from(data));
      const whole = Buffer.concat([writeRequestHead(name, at, flag, data.length), data]);
      const write = fromBinary(WriteRequestSchema, whole);
      assert.deepEqual([write.resourceName, write.writeOffset, write.finishWrite], [name, BigInt(at), flag]);
      assert.deepEqual(Buffer.from(write.data), Buffer.from(data));
      assert.equal(fromBinary(QueryWriteStatusRequestSchema, encodeQueryWriteStatus(name)).resourceName, name);
      const committed = { committedSize: BigInt(at) };
      assert.equal(committedSize(toBinary(WriteResponseSchema, create(WriteResponseSchema, committed))), at);
      const state = create(QueryWriteStatusResponseSchema, { ...committed, complete: flag });
      assert.deepEqual(writeStatus(toBinary(QueryWriteStatusResponseSchema, state)), { committed: at, complete: flag });
    }),
  );
});

test("bytes that are no message are refused, or tell of nothing that was asked", () => {
  const known = digestOf(sha256, Uint8Array.of(1));
  const asked = new AskedDigests([known]);
  const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
    (bytes) => decodeMissing(bytes, asked),
    (bytes) => [...decodeBatchRead(bytes, asked)],
    (bytes) => decodeBatchUpdate(bytes, asked),
    readResponseData,
    committedSize,
    writeStatus,
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...decoders), (bytes, decode) => {
      try {
        decode(bytes);
      } catch (error) {
        assert.match((error as { code: string }).code, /^(invalid|unavailable)$/);
      }
    }),
  );
});
