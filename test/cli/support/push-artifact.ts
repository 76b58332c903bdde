import { create, toBinary } from "@bufbuild/protobuf";
import { DirectorySchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../../src/gen/buildstream/v2/artifact_pb.ts";
import { blobOf, upload } from "../../conformance/support/blobs.ts";
import type { Endpoint } from "../../conformance/support/endpoint.ts";

/** Pushes an artifact `PROJECT/ELEMENT` of one file and a dependency, as BuildStream 2 does. */
export async function pushArtifact(endpoint: Endpoint, name: string, key: string, content: string): Promise<void> {
  const file = blobOf(Buffer.from(content));
  const tree = create(DirectorySchema, { files: [{ name: "file", digest: file.digest, isExecutable: true }] });
  const files = blobOf(toBinary(DirectorySchema, tree));
  const message = create(ArtifactSchema, {
    ...{ version: 2, buildSuccess: true, strongKey: key, weakKey: key, strictKey: key, files: files.digest },
    buildDeps: [{ projectName: "harbour", elementName: "lib.bst", cacheKey: "b".repeat(64) }],
  });
  const proto = blobOf(toBinary(ArtifactSchema, message));
  await upload(endpoint, "", [file, files, proto]);
  const uris = [`urn:fdc:buildstream.build:2020:artifact:${name}/${key}`];
  await endpoint.push.pushBlob({ uris, blobDigest: proto.digest });
}
