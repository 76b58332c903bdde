import { create, toBinary } from "@bufbuild/protobuf";
import { type Artifact, ArtifactSchema } from "../../../src/gen/buildstream/v2/artifact_pb.ts";
import type { Case } from "../case.ts";
import { newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { newNestedDirectory } from "../support/directories.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";

const source = "buildstream.v2.ArtifactService and SourceService, as BuildStream 1.91 to 1.93 uses them";
const needs = ["older"] as const;

const newKey = (): string => `project/element/${newBlob().digest.hash}`;

/** An artifact as 1.93 pushes it, with a field that only later releases know, and its parts, none of them uploaded. */
function newArtifact(): { artifact: Artifact; parts: readonly TestBlob[] } {
  const { root, blobs } = newNestedDirectory();
  const [publicData, log] = [newBlob(), newBlob()];
  const artifact = create(ArtifactSchema, {
    buildSuccess: true,
    strongKey: "a".repeat(64),
    files: root.digest,
    publicData: publicData.digest,
    logs: [{ name: "build", digest: log.digest }],
    buildtree: newBlob().digest,
  });
  artifact.$unknown = [{ no: 1000, wireType: 0, data: new Uint8Array([7]) }];
  return { artifact, parts: [...blobs, publicData, log] };
}

export const messageCases: readonly Case[] = [
  {
    id: "messages/artifact",
    title: "an artifact is taken once all that it needs is there, and comes back as it was, unknown fields and all",
    source,
    needs,
    async run(server) {
      const { instance: instanceName, artifacts } = server;
      const { artifact, parts } = newArtifact();
      const cacheKey = newKey();
      const push = () => artifacts.updateArtifact({ instanceName, cacheKey, artifact });
      for (const part of parts) {
        await expectStatus(push(), "failedPrecondition", "UpdateArtifact with a part missing");
        await upload(server, instanceName, [part]);
      }
      const bytes = toBinary(ArtifactSchema, artifact);
      expectBytes(toBinary(ArtifactSchema, await expectOk(push(), "UpdateArtifact")), bytes, "the answer");
      const found = await expectOk(artifacts.getArtifact({ instanceName, cacheKey }), "GetArtifact");
      expectBytes(toBinary(ArtifactSchema, found), bytes, "what was found");
      await expectStatus(artifacts.getArtifact({ instanceName, cacheKey: newKey() }), "notFound", "an unknown key");
    },
  },
  {
    id: "messages/source",
    title: "a source is taken once its files are there, and apart from artifacts",
    source,
    needs,
    async run(server) {
      const { instance: instanceName, sources, artifacts } = server;
      const { root, blobs } = newNestedDirectory();
      const cacheKey = `local/${newBlob().digest.hash}`;
      const push = () => sources.updateSource({ instanceName, cacheKey, source: { files: root.digest } });
      await expectStatus(push(), "failedPrecondition", "UpdateSource without its files");
      await upload(server, instanceName, blobs);
      await expectOk(push(), "UpdateSource");
      const { files } = await expectOk(sources.getSource({ instanceName, cacheKey }), "GetSource");
      expectEqual(files?.hash === root.digest.hash, true, "GetSource: the same files");
      await expectStatus(artifacts.getArtifact({ instanceName, cacheKey }), "notFound", "GetArtifact of a source");
    },
  },
  {
    id: "messages/malformed",
    title: "updates without key or message are refused",
    source,
    needs,
    async run({ instance: instanceName, artifacts, sources }) {
      const cacheKey = newKey();
      await expectStatus(artifacts.updateArtifact({ instanceName, cacheKey }), "invalidArgument", "no artifact");
      await expectStatus(artifacts.updateArtifact({ instanceName, artifact: {} }), "invalidArgument", "no key");
      await expectStatus(sources.updateSource({ instanceName, cacheKey }), "invalidArgument", "no source");
      const digest = { hash: "x", sizeBytes: 1n };
      const bad = artifacts.updateArtifact({ instanceName, cacheKey, artifact: { files: digest } });
      await expectStatus(bad, "invalidArgument", "a bad digest");
    },
  },
  {
    id: "messages/capabilities",
    title: "the capabilities say whether this address takes pushes",
    source,
    needs: ["older", "pullOnly"],
    async run(server) {
      const { instance: instanceName } = server;
      for (const [endpoint, push] of [
        [server, true],
        [server.connect("pullOnly"), false],
      ] as const) {
        const found = await expectOk(endpoint.bstCapabilities.getCapabilities({ instanceName }), "GetCapabilities");
        const { artifactCapabilities, sourceCapabilities } = found;
        expectTrue((artifactCapabilities?.allowUpdates ?? false) === push, "artifact_capabilities");
        expectTrue((sourceCapabilities?.allowUpdates ?? false) === push, "source_capabilities");
      }
    },
  },
];
