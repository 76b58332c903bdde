import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  ReadRequestSchema,
  ReadResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from "../../gen/google/bytestream/bytestream_pb.ts";
import { decodeReadRequest, decodeWriteRequest, encodeWriteResponse, readResponseHead } from "./byte-stream.ts";

const offset = fc.maxSafeNat();

test("a WriteRequest is decoded as the generated code encodes it", () => {
  fc.assert(
    fc.property(fc.string(), offset, fc.boolean(), fc.uint8Array(), (resourceName, writeOffset, finishWrite, data) => {
      const message = create(WriteRequestSchema, { resourceName, writeOffset: BigInt(writeOffset), finishWrite, data });
      const decoded = decodeWriteRequest(toBinary(WriteRequestSchema, message));
      assert.deepEqual(
        { ...decoded, data: Buffer.from(decoded.data) },
        { resourceName: Buffer.from(resourceName).toString(), writeOffset, finishWrite, data: Buffer.from(data) },
      );
    }),
  );
});

test("a ReadRequest is decoded as the generated code encodes it", () => {
  fc.assert(
    fc.property(fc.string(), offset, offset, (name, readOffset, readLimit) => {
      const resourceName = Buffer.from(name).toString();
      const message = { resourceName, readOffset: BigInt(readOffset), readLimit: BigInt(readLimit) };
      const decoded = decodeReadRequest(toBinary(ReadRequestSchema, create(ReadRequestSchema, message)));
      assert.deepEqual(decoded, { resourceName, readOffset, readLimit });
    }),
  );
});

test("a negative offset is one that no blob has", () => {
  const message = create(ReadRequestSchema, { readOffset: -1n, readLimit: -1n });
  const decoded = decodeReadRequest(toBinary(ReadRequestSchema, message));
  assert.deepEqual([decoded.readOffset, decoded.readLimit], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test("a ReadResponse is its head and the data", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
      const response = fromBinary(ReadResponseSchema, Buffer.concat([readResponseHead(data.length), data]));
      assert.deepEqual(Buffer.from(response.data), Buffer.from(data));
    }),
  );
});

test("a WriteResponse is read by the generated code", () => {
  fc.assert(
    fc.property(fc.oneof(offset, fc.constant(-1), fc.constant(0)), (committed) => {
      const response = fromBinary(WriteResponseSchema, encodeWriteResponse(committed));
      assert.equal(response.committedSize, BigInt(committed));
    }),
  );
});

for (const decode of [decodeReadRequest, decodeWriteRequest]) {
  test(`${decode.name}: garbage is decoded or refused, nothing else`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
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
