import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { StillageError } from "../../base/errors.ts";
import {
  DigestFunction_Value,
  ServerCapabilitiesSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { StatusResponseSchema } from "../../gen/buildstream/v2/reference_storage_pb.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { ProbeAnswers } from "./probe-answers.ts";
import { type Question, questionsFor } from "./probe-questions.ts";

const absent = new RpcError(grpcStatus.unimplemented, "");
const good = new RpcError(grpcStatus.invalidArgument, "a push names URIs");
const denied = new RpcError(grpcStatus.permissionDenied, "not you");

function answersTo(given: Partial<Record<Question, Uint8Array | RpcError>>, instanceName = ""): ProbeAnswers {
  const outcomes = new Map(questionsFor("all", true).map((question) => [question, given[question] ?? absent] as const));
  return new ProbeAnswers(
    outcomes,
    { name: "cache", instanceName },
    async (_, { code }) => new StillageError(code === grpcStatus.permissionDenied ? "forbidden" : "unavailable", "why"),
  );
}

const shown = async (answers: ProbeAnswers): Promise<string[]> =>
  (await answers.protocols()).map(({ name, pull, push }) => `${name}: ${pull.kind}, ${push.kind}`);

describe("what a server speaks", () => {
  it("is nothing where it knows no question", async () => {
    assert.deepEqual(await shown(answersTo({})), []);
  });

  it("is told by OK as well as by INVALID_ARGUMENT", async () => {
    const empty = new Uint8Array(0);
    const answers = answersTo({ fetchBlob: empty, pushBlob: good, fetchDirectory: good, findMissing: empty });
    assert.deepEqual(await shown(answers), [
      "Remote Asset: allowed, allowed",
      "Remote Asset v1: allowed, absent",
      "CAS: allowed, unasked",
    ]);
  });

  it("is told by INVALID_ARGUMENT about an instance, too, where none was named", async () => {
    const about = new RpcError(grpcStatus.invalidArgument, 'no URIs were asked for in instance ""');
    assert.deepEqual(await shown(answersTo({ fetchBlob: about })), ["Remote Asset: allowed, absent"]);
  });

  it("has no instance of a name that INVALID_ARGUMENT is about", async () => {
    const unknown = new RpcError(grpcStatus.invalidArgument, "Invalid instance name");
    assert.deepEqual(await shown(answersTo({ fetchBlob: unknown, pushBlob: denied }, "main")), [
      "Remote Asset: failed, refused",
    ]);
  });

  it("tells whether we may push in an answer, too", async () => {
    const status = (allowUpdates: boolean) =>
      toBinary(StatusResponseSchema, create(StatusResponseSchema, { allowUpdates }));
    assert.deepEqual(await shown(answersTo({ status: status(true) })), ["ReferenceStorage: allowed, allowed"]);
    assert.deepEqual(await shown(answersTo({ status: status(false) })), ["ReferenceStorage: allowed, refused"]);
    assert.deepEqual(await shown(answersTo({ bstCapabilities: Buffer.from("\n\x7f") })), [
      "ArtifactService: allowed, refused",
    ]);
  });

  it("is no storage of artifacts without SHA-256", async () => {
    const capabilities = (...digestFunctions: DigestFunction_Value[]) =>
      toBinary(ServerCapabilitiesSchema, create(ServerCapabilitiesSchema, { cacheCapabilities: { digestFunctions } }));
    const findMissing = new Uint8Array(0);
    assert.deepEqual(await shown(answersTo({ findMissing, capabilities: capabilities(DigestFunction_Value.SHA1) })), [
      "CAS: failed, unasked",
    ]);
    assert.deepEqual(await shown(answersTo({ findMissing, capabilities: capabilities(DigestFunction_Value.SHA256) })), [
      "CAS: allowed, unasked",
    ]);
  });
});

it("of a server with one part nothing else is asked", () => {
  assert.deepEqual(questionsFor("storage", true), ["capabilities", "findMissing", "batchUpdate"]);
  assert.deepEqual(questionsFor("index", false), ["fetchBlob", "fetchDirectory", "status", "bstCapabilities"]);
});

it("limits of a storage are those that it states", () => {
  const cacheCapabilities = {
    digestFunctions: [DigestFunction_Value.SHA256],
    maxBatchTotalSizeBytes: 1000n,
    maxCasBlobSizeBytes: -1n,
  };
  const capabilities = toBinary(ServerCapabilitiesSchema, create(ServerCapabilitiesSchema, { cacheCapabilities }));
  assert.deepEqual(answersTo({ capabilities }).storage, { maxBatchBytes: 1000, maxBlobBytes: 0, updates: undefined });
});
