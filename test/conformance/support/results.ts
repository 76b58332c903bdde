import type {
  ActionResult,
  ActionResultSchema,
  GetActionResultRequestSchema,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Server } from "../case.ts";
import { type DigestInit, newBlob, type TestBlob } from "./blobs.ts";
import type { Init } from "./init.ts";

export type Result = Init<typeof ActionResultSchema>;
export type Get = Partial<Init<typeof GetActionResultRequestSchema>>;

export const updateResult = (server: Server, actionDigest: DigestInit, actionResult: Result): Promise<ActionResult> =>
  server.actionCache.updateActionResult({ instanceName: server.instance, actionDigest, actionResult });

export const getResult = (server: Server, actionDigest: DigestInit, more: Get = {}): Promise<ActionResult> =>
  server.actionCache.getActionResult({ instanceName: server.instance, actionDigest, ...more });

export const newAction = (): DigestInit => newBlob().digest;

/** A result with one file. */
export const withFile = ({ digest }: TestBlob): Result => ({
  outputFiles: [{ path: "out", digest, isExecutable: true }],
});
