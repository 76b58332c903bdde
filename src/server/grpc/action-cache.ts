import { decode } from "../../base/decode.ts";
import { parseDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../../base/protobuf.ts";
import type { Tenants } from "../../cache/tenant.ts";
import {
  type Digest,
  GetActionResultRequestSchema,
  UpdateActionResultRequestSchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { nameOfVisitor } from "../visitor-name.ts";
import { namedFunction } from "../wire/digest-fields.ts";

/** build.bazel.remote.execution.v2.ActionCache. */
export function actionCacheService(tenants: Tenants): Service {
  return {
    name: "build.bazel.remote.execution.v2.ActionCache",
    methods: {
      GetActionResult: { kind: "unary", handle: (request, call) => getActionResult(request, call, tenants) },
      UpdateActionResult: { kind: "unary", handle: (request, call) => updateActionResult(request, call, tenants) },
    },
  };
}

async function getActionResult(message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const request = decode(GetActionResultRequestSchema, message);
  const { actions } = reach(tenants, call, request.instanceName, "pull");
  const action = parseAction(request.actionDigest, request.digestFunction);
  call.subject = action.hash;
  const inline = { stdout: request.inlineStdout, stderr: request.inlineStderr, files: request.inlineOutputFiles };
  const result = await actions.get(action, inline);
  if (result === undefined) throw new StillageError("not-found", `no result of ${action.hash} is in this cache`);
  return { parts: [result] };
}

async function updateActionResult(message: Uint8Array, call: Call, tenants: Tenants): Promise<Reply> {
  const request = decode(UpdateActionResultRequestSchema, message);
  const { actions } = reach(tenants, call, request.instanceName, "push");
  const action = parseAction(request.actionDigest, request.digestFunction);
  call.subject = action.hash;
  const result = encodedResult(message);
  if (result === undefined) throw new StillageError("invalid", "the request has no action_result");
  return { parts: [await actions.update(action, result, nameOfVisitor(call))] };
}

function parseAction(digest: Digest | undefined, digestFunction: number): ReturnType<typeof parseDigest> {
  if (digest === undefined) throw new StillageError("invalid", "the request has no action_digest");
  return parseDigest(digest.hash, digest.sizeBytes, namedFunction(digestFunction));
}

const resultTag = tagOf(3, wireBytes);

/** A copy of UpdateActionResultRequest.action_result as it came, with whatever of it is unknown here. */
function encodedResult(message: Uint8Array): Uint8Array | undefined {
  const reader = new ProtobufReader(message);
  const found: Uint8Array[] = [];
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) if (tag === resultTag) found.push(reader.view());
  // A message that comes in parts is the parts in a row.
  return found.length === 0 ? undefined : Buffer.concat(found);
}
