import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { memoryTenant } from "../../cache/tenant.fixture.ts";
import { tenantsOf } from "../../cache/tenant.ts";
import { messageOf, putBlob } from "../../cache/tree.fixture.ts";
import {
  ActionResultSchema,
  type Digest,
  DigestFunction_Value,
  DigestSchema,
  GetActionResultRequestSchema,
  UpdateActionResultRequestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { actionCacheService } from "./action-cache.ts";
import { callUnary } from "./calling.fixture.ts";

const actionDigest = messageOf(digestOf(sha256, Buffer.from("action")));

function setUp() {
  const tenant = memoryTenant("main");
  const service = actionCacheService(tenantsOf([tenant, memoryTenant("other")]));
  return {
    tenant,
    service,
    get: async (init: MessageInitShape<typeof GetActionResultRequestSchema>) => {
      const request = create(GetActionResultRequestSchema, { instanceName: "main", ...init });
      const bytes = toBinary(GetActionResultRequestSchema, request);
      return fromBinary(ActionResultSchema, await callUnary(service, "GetActionResult", bytes));
    },
    update: async (init: MessageInitShape<typeof UpdateActionResultRequestSchema>, rights = { push: true }) => {
      const request = create(UpdateActionResultRequestSchema, { instanceName: "main", ...init });
      const bytes = toBinary(UpdateActionResultRequestSchema, request);
      return fromBinary(ActionResultSchema, await callUnary(service, "UpdateActionResult", bytes, rights));
    },
  };
}

describe("the action cache's door", () => {
  it("gives what was put, to the same instance only, with what is to be inlined", async () => {
    const { tenant, get, update } = setUp();
    const stdoutDigest = messageOf(await putBlob(tenant.blobs, "said"));
    const actionResult = create(ActionResultSchema, { exitCode: 7, stdoutDigest });
    assert.deepEqual(await update({ actionDigest, actionResult }), actionResult);
    assert.deepEqual(await get({ actionDigest }), actionResult);
    const { stdoutRaw } = await get({ actionDigest, inlineStdout: true });
    assert.equal(Buffer.from(stdoutRaw).toString(), "said");
    await assert.rejects(get({ actionDigest, instanceName: "other" }), { code: "not-found" });
    await tenant.blobs.remove(digestOf(sha256, Buffer.from("said")));
    await assert.rejects(get({ actionDigest }), { code: "not-found" });
  });

  it("asks for the right first, then for the instance, then for the arguments", async () => {
    const { update, get } = setUp();
    await assert.rejects(update({ instanceName: "unknown" }, { push: false }), { code: "forbidden" });
    await assert.rejects(update({}, { push: false }), { code: "forbidden" });
    await assert.rejects(update({ instanceName: "unknown" }), { code: "not-found" });
    await assert.rejects(update({}), { code: "invalid" });
    await assert.rejects(get({ instanceName: "unknown" }), { code: "not-found" });
  });

  it("stores an empty result, and refuses a missing one", async () => {
    const { get, update } = setUp();
    await update({ actionDigest, actionResult: {} });
    assert.equal((await get({ actionDigest })).exitCode, 0);
    await assert.rejects(update({ actionDigest }), { code: "invalid" });
  });

  it("takes a result that comes in two parts as one", async () => {
    const { service, get } = setUp();
    const part = (actionResult: MessageInitShape<typeof ActionResultSchema>): Uint8Array =>
      toBinary(UpdateActionResultRequestSchema, create(UpdateActionResultRequestSchema, { actionResult }));
    const start = create(UpdateActionResultRequestSchema, { instanceName: "main", actionDigest });
    const first = part({ exitCode: 7, stdoutRaw: Buffer.from("first") });
    const second = part({ stdoutRaw: Buffer.from("second") });
    const request = Buffer.concat([first, toBinary(UpdateActionResultRequestSchema, start), second]);
    await callUnary(service, "UpdateActionResult", request);
    const { exitCode, stdoutRaw } = await get({ actionDigest });
    assert.deepEqual([exitCode, Buffer.from(stdoutRaw).toString()], [7, "second"]);
  });

  const digest = (hash: string, sizeBytes: bigint): Digest => create(DigestSchema, { hash, sizeBytes });
  const bad: [what: string, request: { actionDigest?: Digest; digestFunction?: DigestFunction_Value }][] = [
    ["no digest", {}],
    ["an empty digest", { actionDigest: digest("", 0n) }],
    ["a hash that is none", { actionDigest: digest("xyz", 1n) }],
    ["a negative size", { actionDigest: digest(actionDigest.hash, -1n) }],
    ["a hash of another function than is named", { actionDigest, digestFunction: DigestFunction_Value.SHA1 }],
    ["a function that is not served", { actionDigest, digestFunction: DigestFunction_Value.MURMUR3 }],
  ];
  for (const [what, request] of bad) {
    it(`refuses ${what}`, async () => {
      const { get, update } = setUp();
      await assert.rejects(get(request), { code: "invalid" });
      await assert.rejects(update({ ...request, actionResult: { exitCode: 1 } }), { code: "invalid" });
    });
  }

  it("refuses bytes that are no message", async () => {
    const { service } = setUp();
    for (const name of ["GetActionResult", "UpdateActionResult"]) {
      await assert.rejects(callUnary(service, name, Buffer.from("\n\x7fnot a message")), { code: "invalid" });
    }
  });
});
