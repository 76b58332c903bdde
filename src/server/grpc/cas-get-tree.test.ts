import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../../base/digest.ts";
import { Slots } from "../../cache/slots.ts";
import { type MemoryTenant, memoryTenant } from "../../cache/tenant.fixture.ts";
import { type Tenants, tenantsOf } from "../../cache/tenant.ts";
import { messageOf, putDirectory } from "../../cache/tree.fixture.ts";
import {
  DigestFunction_Value,
  GetTreeRequestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { CallStream } from "../../rpc/service.ts";
import { visit } from "./calling.fixture.ts";
import { maxStallMs, streamTree } from "./cas-get-tree.ts";

let tenant: MemoryTenant;
let tenants: Tenants;
let root: Digest;

beforeEach(async () => {
  tenant = memoryTenant("");
  tenants = tenantsOf([tenant]);
  root = await putDirectory(tenant.blobs, { a: { file: "content" }, empty: {} });
});

/** A call whose client reads, or does not. */
function callFor(client: { reads: boolean; digestFunction?: DigestFunction_Value }) {
  const { reads, digestFunction = 0 } = client;
  const request = create(GetTreeRequestSchema, { rootDigest: messageOf(root), digestFunction });
  const begun = Promise.withResolvers<void>();
  const stream: CallStream = {
    ...visit({ push: false }),
    method: "build.bazel.remote.execution.v2.ContentAddressableStorage/GetTree",
    receive: () => toBinary(GetTreeRequestSchema, request),
    send: () => {
      begun.resolve();
      return reads ? undefined : new Promise(() => {});
    },
  };
  return { stream, begun: begun.promise };
}

describe("GetTree", () => {
  it("refuses a digest function that is not served", async () => {
    const { stream } = callFor({ reads: true, digestFunction: DigestFunction_Value.MD5 });
    await assert.rejects(streamTree(stream, tenants, new Slots(1)), { code: "invalid", message: /3 is not served/ });
  });

  it("lets a client that does not read keep the walks of others waiting for a while, and no longer", async (t) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    t.after(() => mock.timers.reset());
    const walks = new Slots(1);
    const [stalled, other] = [callFor({ reads: false }), callFor({ reads: true })];
    const refused = assert.rejects(streamTree(stalled.stream, tenants, walks), { code: "aborted" });
    await stalled.begun;
    let served = false;
    const waiting = streamTree(other.stream, tenants, walks).then(() => {
      served = true;
    });
    mock.timers.tick(maxStallMs - 1);
    await new Promise(setImmediate);
    assert.equal(served, false);
    mock.timers.tick(1);
    await refused;
    await waiting;
  });

  it("does not walk for a call that has ended", async () => {
    const { stream } = callFor({ reads: true });
    const signal = AbortSignal.abort(new Error("cancelled"));
    await assert.rejects(streamTree({ ...stream, signal }, tenants, new Slots(1)), /cancelled/);
  });
});
