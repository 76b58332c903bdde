import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { BadRequestSchema, RequestInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { encodeDetails } from "./status-details.ts";

const text = fc.string({ unit: "binary" });
const violation = fc.record({ field: text, description: text });

test("the generated code reads what is written by hand", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 16 }),
      text,
      fc.option(fc.nat(), { nil: undefined }),
      fc.array(violation, { maxLength: 4 }),
      (code, message, retryAfterMs, violations) => {
        const encoded = encodeDetails(code, message, { retryAfterMs, violations }, "p-1");
        const expected = [
          ...(retryAfterMs === undefined ? [] : ["type.googleapis.com/google.rpc.RetryInfo"]),
          ...(violations.length === 0 ? [] : ["type.googleapis.com/google.rpc.BadRequest"]),
        ];
        if (expected.length === 0) {
          assert.equal(encoded, undefined);
          return;
        }
        expected.push("type.googleapis.com/google.rpc.RequestInfo");
        const status = fromBinary(StatusSchema, encoded ?? new Uint8Array());
        assert.deepEqual([status.code, status.message], [code, message.toWellFormed()]);
        assert.deepEqual(
          status.details.map(({ typeUrl }) => typeUrl),
          expected,
        );
        for (const { typeUrl, value } of status.details) {
          if (typeUrl.endsWith("RetryInfo")) {
            const { retryDelay } = fromBinary(RetryInfoSchema, value);
            assert.equal(Number(retryDelay?.seconds) * 1000 + (retryDelay?.nanos ?? 0) / 1e6, retryAfterMs);
          } else if (typeUrl.endsWith("RequestInfo")) {
            assert.equal(fromBinary(RequestInfoSchema, value).requestId, "p-1");
          } else {
            assert.deepEqual(
              fromBinary(BadRequestSchema, value).fieldViolations.map(({ field, description }) => [field, description]),
              violations.map(({ field, description }) => [field.toWellFormed(), description.toWellFormed()]),
            );
          }
        }
      },
    ),
  );
});
