import type { RpcError } from "../../rpc/client/rpc-error.ts";
import type { RemoteType } from "../remote-spec.ts";

const asset = "build.bazel.remote.asset.v1";
const execution = "build.bazel.remote.execution.v2";
const storage = `${execution}.ContentAddressableStorage`;

/** Calls that say what a server speaks. They name nothing but the instance, so that they do nothing. */
export const questions = {
  fetchBlob: `${asset}.Fetch/FetchBlob`,
  pushBlob: `${asset}.Push/PushBlob`,
  fetchDirectory: `${asset}.Fetch/FetchDirectory`,
  pushDirectory: `${asset}.Push/PushDirectory`,
  status: "buildstream.v2.ReferenceStorage/Status",
  bstCapabilities: "buildstream.v2.Capabilities/GetCapabilities",
  capabilities: `${execution}.Capabilities/GetCapabilities`,
  findMissing: `${storage}/FindMissingBlobs`,
  batchUpdate: `${storage}/BatchUpdateBlobs`,
} as const;
export type Question = keyof typeof questions;

/** Whether its answer tells if something may be pushed. */
export function asksPush(question: Question): boolean {
  return question === "pushBlob" || question === "pushDirectory" || question === "batchUpdate";
}

/** How each call that was made ended: with the bytes of an answer, or an error. */
export type Outcomes = ReadonlyMap<Question, Uint8Array | RpcError>;

/** What a server of a type is asked: one that has names alone, or blobs alone, nothing about the rest. */
export function questionsFor(type: RemoteType, askPush: boolean): Question[] {
  const asked: Question[] = [];
  if (type !== "storage") asked.push("fetchBlob", "fetchDirectory", "status", "bstCapabilities");
  if (type !== "storage" && askPush) asked.push("pushBlob", "pushDirectory");
  if (type !== "index") asked.push("capabilities", "findMissing");
  if (type !== "index" && askPush) asked.push("batchUpdate");
  return asked;
}
