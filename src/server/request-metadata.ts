import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../base/protobuf.ts";

/** What clients of the Remote Execution API say of their calls (remote_execution.proto, RequestMetadata); "" stands for nothing. */
export interface RequestMetadata {
  /** Name and version of the program: `bazel 8.4.2`. */
  readonly tool: string;
  readonly action: string;
  /** What the calls of one run of the program have in common. */
  readonly invocation: string;
  /** What several runs have in common that belong together. */
  readonly correlated: string;
}

/** The header that has it, in base64. */
export const requestMetadataHeader = "build.bazel.remote.execution.v2.requestmetadata-bin";

const none: RequestMetadata = { tool: "", action: "", invocation: "", correlated: "" };

/** Reads the header's value; what is no such message says nothing. */
export function parseRequestMetadata(value: string): RequestMetadata {
  try {
    return read(Buffer.from(value, "base64"));
  } catch (error) {
    if (error instanceof StillageError) return none;
    throw error;
  }
}

const toolTag = tagOf(1, wireBytes);
const actionTag = tagOf(2, wireBytes);
const invocationTag = tagOf(3, wireBytes);
const correlatedTag = tagOf(4, wireBytes);

function read(message: Uint8Array): RequestMetadata {
  const reader = new ProtobufReader(message);
  let { tool, action, invocation, correlated } = none;
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === toolTag) tool = readTool(reader.view());
    else if (tag === actionTag) action = reader.text();
    else if (tag === invocationTag) invocation = reader.text();
    else if (tag === correlatedTag) correlated = reader.text();
  }
  return { tool, action, invocation, correlated };
}

const nameTag = tagOf(1, wireBytes);
const versionTag = tagOf(2, wireBytes);

function readTool(details: Uint8Array): string {
  const reader = new ProtobufReader(details);
  let name = "";
  let version = "";
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === nameTag) name = reader.text();
    else if (tag === versionTag) version = reader.text();
  }
  return version === "" ? name : `${name} ${version}`;
}
