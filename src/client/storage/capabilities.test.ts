import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { StillageError } from "../../base/errors.ts";
import {
  DigestFunction_Value,
  ServerCapabilitiesSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../rpc/client/channel.ts";
import { TestServer } from "../../rpc/server.fixture.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { storageCapabilities, unknownCapabilities } from "./capabilities.ts";

/** What is made of a server that answers so; `undefined` for one without the service. */
async function asked(answer: MessageInitShape<typeof ServerCapabilitiesSchema> | StillageError | undefined) {
  const handle = () => {
    if (answer instanceof StillageError) throw answer;
    return { parts: [toBinary(ServerCapabilitiesSchema, create(ServerCapabilitiesSchema, answer))] };
  };
  const name = "build.bazel.remote.execution.v2.Capabilities";
  const services =
    answer === undefined ? [] : [{ name, methods: { GetCapabilities: { kind: "unary", handle } as const } }];
  await using server = await TestServer.start({}, { services });
  const channel = connect(`grpc://${server.address}`);
  const connection = { retryLimit: undefined, retryDelayMs: 1 };
  const spec = { name: "cache", url: "", instanceName: "main", connection } as unknown as RemoteSpec;
  try {
    return await storageCapabilities(channel, spec, new AbortController().signal);
  } finally {
    channel.destroy();
  }
}

const { SHA1, SHA256 } = DigestFunction_Value;

test("limits are as the server says, and 0 or less is none", async () => {
  const limits = { maxBatchTotalSizeBytes: 65536n, maxCasBlobSizeBytes: -1n };
  assert.deepEqual(await asked({ cacheCapabilities: { digestFunctions: [SHA1, SHA256], ...limits } }), {
    maxBatchBytes: 65536,
    maxBlobBytes: 0,
    updates: undefined,
  });
});

test("a server that does not know the question is like BuildStream's own", async () => {
  assert.deepEqual(await asked(undefined), unknownCapabilities);
});

test("a server without SHA-256 is none for us", async () => {
  for (const answer of [{}, { cacheCapabilities: {} }, { cacheCapabilities: { digestFunctions: [SHA1] } }]) {
    await assert.rejects(asked(answer), { code: "unsupported", message: /^cache / });
  }
});

test("other errors are told, with the server's name", async () => {
  await assert.rejects(asked(new StillageError("forbidden", "not you")), {
    code: "forbidden",
    message: /^cache: .*not you/,
  });
});
