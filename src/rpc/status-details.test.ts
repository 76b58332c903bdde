import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { encodeRetryDetails } from "./status-details.ts";

test("the generated code reads what is written by hand", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 16 }),
      fc.string({ unit: "binary" }),
      fc.nat(),
      (code, message, retryAfterMs) => {
        const status = fromBinary(StatusSchema, encodeRetryDetails(code, message, retryAfterMs));
        assert.equal(status.code, code);
        assert.equal(status.message, message.toWellFormed());
        assert.equal(status.details.length, 1);
        const [any] = status.details;
        assert.equal(any?.typeUrl, "type.googleapis.com/google.rpc.RetryInfo");
        const { retryDelay } = fromBinary(RetryInfoSchema, any?.value ?? new Uint8Array());
        assert.equal(Number(retryDelay?.seconds) * 1000 + (retryDelay?.nanos ?? 0) / 1e6, retryAfterMs);
      },
    ),
  );
});
