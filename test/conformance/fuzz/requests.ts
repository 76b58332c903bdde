import { zstdCompressSync } from "node:zlib";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  FetchBlobRequestSchema,
  FetchDirectoryRequestSchema,
  PushBlobRequestSchema,
  PushDirectoryRequestSchema,
} from "../../../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  BatchReadBlobsRequestSchema,
  BatchUpdateBlobsRequestSchema,
  Compressor_Value,
  DirectorySchema,
  FindMissingBlobsRequestSchema,
  GetActionResultRequestSchema,
  GetCapabilitiesRequestSchema,
  GetTreeRequestSchema,
  SpliceBlobRequestSchema,
  SplitBlobRequestSchema,
  TreeSchema,
  UpdateActionResultRequestSchema,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import {
  QueryWriteStatusRequestSchema,
  ReadRequestSchema,
  WriteRequestSchema,
} from "../../../src/gen/google/bytestream/bytestream_pb.ts";
import { HealthCheckRequestSchema } from "../../../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflectionRequestSchema } from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { blobOf, messageBlob, type TestBlob } from "../support/blobs.ts";
import { readName, writeName } from "../support/byte-stream.ts";
import { directoryOf } from "../support/directories.ts";
import type { Init } from "../support/init.ts";

const encode = <S extends DescMessage>(schema: S, message: Init<S>): Uint8Array =>
  toBinary(schema, create(schema, message));

const instanceName = "main";
const reapi = "build.bazel.remote.execution.v2";
const asset = "build.bazel.remote.asset.v1";

const text: TestBlob = blobOf(Buffer.from("some text, to be written again and again"));
const unwritten: TestBlob = blobOf(Buffer.from("some text, to be written never and never"));
const file: TestBlob = blobOf(Buffer.from("a file"));
const child: TestBlob = directoryOf({ files: [file] });
const root: TestBlob = directoryOf({ files: [file], directories: [child], symlinks: { link: "file-00000" } });
const directories = [root, child].map(({ data }) => fromBinary(DirectorySchema, data));
const tree: TestBlob = messageBlob(TreeSchema, {
  children: directories.slice(1),
  ...(directories[0] && { root: directories[0] }),
});

/** What has to be there for the requests to be answered with more than NOT_FOUND. */
export const content: readonly TestBlob[] = [file, child, root, tree];

const { digest } = root;
const digests = content.map((blob) => blob.digest);
const uris = ["https://example.com/one", "urn:fdc:buildstream.build:2020:artifact:project/element/key"];
const qualifiers = [{ name: "vcs.branch", value: "main" }];
const expireAt = timestampFromMs(4_000_000_000_000);
const references = { referencesBlobs: digests, referencesDirectories: [digest] };
const actionResult = {
  outputFiles: [{ path: "a", digest, contents: text.data }],
  outputDirectories: [{ path: "d", treeDigest: tree.digest, rootDirectoryDigest: digest }],
  outputSymlinks: [{ path: "l", target: "a" }],
  stdoutDigest: digest,
  executionMetadata: { worker: "w" },
};

/** A call that is well-formed: the messages, encoded, in the order in which they are sent. */
export interface GoodCall {
  readonly name: string;
  readonly method: string;
  readonly messages: readonly Uint8Array[];
  /** The status it has. */
  readonly answer: string;
}

const call = (method: string, ...messages: Uint8Array[]): GoodCall => ({
  name: method,
  method,
  messages,
  answer: "OK",
});

/** The data is of another blob of the same size: nothing is stored, or else the next call would be answered at once. */
const write = (kind: string, data: Uint8Array): GoodCall => {
  const resourceName = writeName(instanceName, unwritten.digest, kind, "an-upload");
  const first = encode(WriteRequestSchema, { resourceName, data: data.subarray(0, 10) });
  const last = encode(WriteRequestSchema, { writeOffset: 10n, data: data.subarray(10), finishWrite: true });
  return {
    ...call("google.bytestream.ByteStream/Write", first, last),
    name: `Write to ${kind}`,
    answer: "INVALID_ARGUMENT",
  };
};

const read = (kind: string, readLimit: bigint): GoodCall => {
  const resourceName = readName(instanceName, digest, kind);
  const message = encode(ReadRequestSchema, { resourceName, readOffset: 3n, readLimit });
  return { ...call("google.bytestream.ByteStream/Read", message), name: `Read from ${kind}` };
};

const spliced = blobOf(Buffer.concat([text.data, child.data]));
const packedRoot = { digest, data: zstdCompressSync(root.data), compressor: Compressor_Value.ZSTD };

/** One call, or more, of each method; those that write come first, so that the others find something. */
export const goodCalls: readonly GoodCall[] = [
  call(
    `${reapi}.ContentAddressableStorage/BatchUpdateBlobs`,
    encode(BatchUpdateBlobsRequestSchema, { instanceName, requests: [text, packedRoot, child], digestFunction: 1 }),
  ),
  call(
    `${reapi}.ActionCache/UpdateActionResult`,
    encode(UpdateActionResultRequestSchema, { instanceName, actionDigest: digest, actionResult, digestFunction: 1 }),
  ),
  call(
    `${asset}.Push/PushBlob`,
    encode(PushBlobRequestSchema, {
      instanceName,
      uris: uris.slice(0, 1),
      qualifiers,
      expireAt,
      blobDigest: digest,
      ...references,
    }),
  ),
  call(
    `${asset}.Push/PushDirectory`,
    encode(PushDirectoryRequestSchema, { instanceName, uris, qualifiers, rootDirectoryDigest: digest, ...references }),
  ),
  call(
    `${reapi}.ContentAddressableStorage/SpliceBlob`,
    encode(SpliceBlobRequestSchema, {
      instanceName,
      blobDigest: spliced.digest,
      chunkDigests: [text.digest, child.digest],
      digestFunction: 1,
      chunkingFunction: 1,
    }),
  ),
  write("blobs", text.data),
  write("compressed-blobs/zstd", zstdCompressSync(text.data)),
  call(`${reapi}.Capabilities/GetCapabilities`, encode(GetCapabilitiesRequestSchema, { instanceName })),
  call(
    `${reapi}.ContentAddressableStorage/FindMissingBlobs`,
    encode(FindMissingBlobsRequestSchema, { instanceName, blobDigests: digests, digestFunction: 1 }),
  ),
  call(
    `${reapi}.ContentAddressableStorage/BatchReadBlobs`,
    encode(BatchReadBlobsRequestSchema, { instanceName, digests, acceptableCompressors: [1], digestFunction: 1 }),
  ),
  call(
    `${reapi}.ContentAddressableStorage/GetTree`,
    encode(GetTreeRequestSchema, { instanceName, rootDigest: digest, pageSize: 1, digestFunction: 1 }),
  ),
  call(
    `${reapi}.ContentAddressableStorage/SplitBlob`,
    encode(SplitBlobRequestSchema, {
      instanceName,
      blobDigest: spliced.digest,
      digestFunction: 1,
      chunkingFunction: 1,
    }),
  ),
  call(
    `${reapi}.ActionCache/GetActionResult`,
    encode(GetActionResultRequestSchema, {
      instanceName,
      actionDigest: digest,
      inlineStdout: true,
      inlineOutputFiles: ["a"],
    }),
  ),
  read("blobs", 5n),
  read("compressed-blobs/zstd", 0n),
  call(
    "google.bytestream.ByteStream/QueryWriteStatus",
    encode(QueryWriteStatusRequestSchema, { resourceName: writeName(instanceName, digest, "blobs", "an-upload") }),
  ),
  call(
    `${asset}.Fetch/FetchBlob`,
    encode(FetchBlobRequestSchema, { instanceName, uris, qualifiers, oldestContentAccepted: timestampFromMs(0) }),
  ),
  call(`${asset}.Fetch/FetchDirectory`, encode(FetchDirectoryRequestSchema, { instanceName, uris, qualifiers })),
  call("grpc.health.v1.Health/Check", encode(HealthCheckRequestSchema, { service: `${asset}.Push` })),
  call(
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    encode(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } }),
    encode(ServerReflectionRequestSchema, { messageRequest: { case: "fileContainingSymbol", value: `${asset}.Push` } }),
  ),
];
