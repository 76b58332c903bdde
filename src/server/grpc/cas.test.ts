import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { memoryTenant } from "../../cache/tenant.fixture.ts";
import { tenantsOf } from "../../cache/tenant.ts";
import { messageOf, putBlob } from "../../cache/tree.fixture.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { callUnary } from "./calling.fixture.ts";
import { casService } from "./cas.ts";

const clientMessageBytes = 4 << 20;

function setUp(maxBlobBytes?: number) {
  const tenant = memoryTenant("");
  const service = casService({ tenants: tenantsOf([tenant]), maxBatchBytes: 1 << 20, maxBlobBytes });
  return {
    tenant,
    update: async (init: MessageInitShape<typeof BatchUpdateBlobsRequestSchema>) => {
      const bytes = toBinary(BatchUpdateBlobsRequestSchema, create(BatchUpdateBlobsRequestSchema, init));
      return fromBinary(BatchUpdateBlobsResponseSchema, await callUnary(service, "BatchUpdateBlobs", bytes));
    },
    read: async (init: MessageInitShape<typeof BatchReadBlobsRequestSchema>) => {
      const bytes = toBinary(BatchReadBlobsRequestSchema, create(BatchReadBlobsRequestSchema, init));
      return callUnary(service, "BatchReadBlobs", bytes);
    },
  };
}

describe("the blobs' door", () => {
  it("refuses a blob of a batch that is larger than blobs may be, alone", async () => {
    const { update, tenant } = setUp(100);
    const requests = [100, 101].map((size) => {
      const data = Buffer.alloc(size);
      return { digest: messageOf(digestOf(sha256, data)), data };
    });
    const { responses } = await update({ requests });
    assert.deepEqual(
      responses.map(({ status }) => status?.code ?? 0),
      [0, grpcStatus.invalidArgument],
    );
    assert.equal(tenant.blobs.usage().blobs, 1);
  });

  it("answers for what has no digest, beside what has", async () => {
    const { update } = setUp();
    const data = Buffer.from("data");
    const { responses } = await update({ requests: [{ data }, { digest: messageOf(digestOf(sha256, data)), data }] });
    assert.deepEqual(
      responses.map(({ status }) => status?.code ?? 0),
      [grpcStatus.invalidArgument, 0],
    );
  });

  it("keeps an answer within a message, malformed digests counted", async () => {
    const { read, tenant } = setUp();
    const blobs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => putBlob(tenant.blobs, Buffer.alloc(100_000, `${i}`))),
    );
    const bad = { hash: "x".repeat(60), sizeBytes: 1n };
    const malformed = Array.from({ length: 25_000 }, () => bad);
    const answer = await read({ digests: [...blobs.map(messageOf), ...malformed] });
    assert.ok(answer.length <= clientMessageBytes);
    const codes = fromBinary(BatchReadBlobsResponseSchema, answer).responses.map(({ status }) => status?.code ?? 0);
    assert.equal(codes.length, blobs.length + malformed.length);
    assert.ok(codes.includes(grpcStatus.ok) && codes.includes(grpcStatus.resourceExhausted));
    await assert.rejects(read({ digests: [...malformed, ...malformed] }), { code: "invalid" });
  });
});
