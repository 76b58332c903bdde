import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { ArtifactContent, ArtifactPart } from "../../artifact/artifact-content.ts";
import { contentOfMessage } from "../../artifact/message-content.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import {
  FetchBlobRequestSchema,
  FetchBlobResponseSchema,
  type PushBlobRequest,
  PushBlobRequestSchema,
} from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { ArtifactSchema } from "../../gen/buildstream/v2/artifact_pb.ts";
import { UpdateReferenceRequestSchema } from "../../gen/buildstream/v2/reference_storage_pb.ts";
import { UpdateArtifactRequestSchema } from "../../gen/buildstream/v2/services_pb.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { type Answers, refusal, startAnswering } from "./answering-server.fixture.ts";
import { artifactServiceIndex } from "./artifact-service-index.ts";
import { assetIndex } from "./asset-index.ts";
import { directoryIndex } from "./directory-index.ts";
import { referenceIndex } from "./reference-index.ts";

const { signal } = new AbortController();
const fetchBlob = "build.bazel.remote.asset.v1.Fetch/FetchBlob";
const pushBlob = "build.bazel.remote.asset.v1.Push/PushBlob";
const digest = (text: string): Digest => digestOf(sha256, Buffer.from(text));
const messageOf = ({ hash, size }: Digest) => ({ hash, sizeBytes: BigInt(size) });
const uri = (key: string): string => `urn:fdc:buildstream.build:2020:artifact:project/element/${key}`;
const question = { project: "project", element: "element", keys: ["strong", "weak"] };

const found = (init: MessageInitShape<typeof FetchBlobResponseSchema>): Uint8Array =>
  toBinary(FetchBlobResponseSchema, create(FetchBlobResponseSchema, init));
const missing = (): never => {
  throw refusal(status.NOT_FOUND);
};

const noContent = contentOfMessage(new Uint8Array(0), sha256);
const withParts = (parts: readonly ArtifactPart[]): ArtifactContent => ({ ...noContent, parts });
const artifact = (generation: IndexedArtifact["generation"], more: Partial<IndexedArtifact> = {}): IndexedArtifact => ({
  ...{ ...question, generation, content: digest("content"), message: undefined },
  ...more,
});

describe("Remote Asset", () => {
  const blobDigest = messageOf(digest("content"));

  const misses: [what: string, answer: () => Uint8Array][] = [
    ["a call that ends with NOT_FOUND", missing],
    ["NOT_FOUND as the status in the answer", () => found({ status: { code: status.NOT_FOUND }, blobDigest })],
    ["no digest", () => found({ uri: uri("strong") })],
    ["an empty hash", () => found({ blobDigest: { hash: "", sizeBytes: 0n } })],
  ];
  for (const [what, answer] of misses) {
    it(`knows nothing where it answers with ${what}`, async () => {
      await using server = await startAnswering({ [fetchBlob]: answer });
      assert.equal(await assetIndex(server.calls).find({ ...question, keys: ["strong"] }, signal), undefined);
    });
  }

  const failures: [what: string, answer: () => Uint8Array, code: string][] = [
    ["another status in the answer", () => found({ status: { code: status.INTERNAL }, blobDigest }), "unavailable"],
    ["bytes that are no message", () => Buffer.from("\n\x7fx"), "unavailable"],
    ["a hash that is none", () => found({ blobDigest: { hash: "../..", sizeBytes: 3n } }), "unavailable"],
    ["content of a terabyte", () => found({ blobDigest: { ...blobDigest, sizeBytes: 1n << 40n } }), "unavailable"],
    [
      "a refusal",
      () => {
        throw refusal(status.PERMISSION_DENIED);
      },
      "forbidden",
    ],
  ];
  for (const [what, answer, code] of failures) {
    it(`is an error with ${what}, which names the server`, async () => {
      await using server = await startAnswering({ [fetchBlob]: answer });
      await assert.rejects(assetIndex(server.calls).find(question, signal), { code, message: /^cache/ });
    });
  }

  it("asks for all keys at once, and the answer tells which one it is", async () => {
    const asked: string[][] = [];
    const answer = (request: Buffer): Uint8Array => {
      asked.push(fromBinary(FetchBlobRequestSchema, request).uris);
      return found({ uri: uri("weak"), blobDigest });
    };
    await using server = await startAnswering({ [fetchBlob]: answer });
    const artifact = await assetIndex(server.calls).find(question, signal);
    assert.deepEqual(artifact?.keys, ["weak"]);
    assert.deepEqual(asked, [[uri("strong"), uri("weak")]]);
  });

  it("asks for one key after the other where the answer does not tell", async () => {
    const answer = (request: Buffer): Uint8Array => {
      const { uris } = fromBinary(FetchBlobRequestSchema, request);
      return uris.includes(uri("weak")) ? found({ blobDigest }) : missing();
    };
    await using server = await startAnswering({ [fetchBlob]: answer });
    assert.deepEqual((await assetIndex(server.calls).find(question, signal))?.keys, ["weak"]);
  });

  it("puts the keys that lead elsewhere, in one call, with each reference once", async () => {
    const pushed: PushBlobRequest[] = [];
    const answers: Answers = {
      [fetchBlob]: (request) => {
        const [asked = ""] = fromBinary(FetchBlobRequestSchema, request).uris;
        return found({ blobDigest: messageOf(digest(asked.endsWith("strong") ? "older" : "content")) });
      },
      [pushBlob]: (request) => {
        pushed.push(fromBinary(PushBlobRequestSchema, request));
        return new Uint8Array(0);
      },
    };
    await using server = await startAnswering(answers);
    const part = (name: string, walk: "blob" | "directory", text: string): ArtifactPart => ({
      ...{ name, walk, digest: digest(text), required: true },
    });
    const parts = [
      part("files", "directory", "tree"),
      part("sources", "directory", "tree"),
      part("log", "blob", "log"),
    ];
    const index = assetIndex(server.calls);
    assert.equal(await index.publish(artifact("2.x"), withParts(parts), signal), "published");
    assert.equal(await index.publish(artifact("2.x", { keys: ["weak"] }), withParts(parts), signal), "present");
    assert.equal(pushed.length, 1);
    const hashes = (digests: readonly { hash: string }[] = []) => digests.map(({ hash }) => hash);
    assert.deepEqual(pushed[0]?.uris, [uri("strong")]);
    assert.deepEqual(hashes(pushed[0]?.referencesDirectories), [digest("tree").hash]);
    assert.deepEqual(hashes(pushed[0]?.referencesBlobs), [digest("log").hash]);
  });

  it("is an error where the server is full, and not done", async () => {
    const full = (): never => {
      throw refusal(status.RESOURCE_EXHAUSTED, "no room");
    };
    await using server = await startAnswering({ [fetchBlob]: missing, [pushBlob]: full });
    await assert.rejects(assetIndex(server.calls).publish(artifact("2.x"), noContent, signal), {
      code: "exhausted",
      message: /no room/,
    });
  });
});

it("a directory that bb-remote-asset would have to fetch is one that is not there", async () => {
  const denied = (): never => {
    throw refusal(status.PERMISSION_DENIED, "HTTP Fetching of directories is not supported!");
  };
  await using server = await startAnswering({ "build.bazel.remote.asset.v1.Fetch/FetchDirectory": denied });
  assert.equal(await directoryIndex(server.calls).find(question, signal), undefined);
});

it("ReferenceStorage gets one key in a call, in their order", async () => {
  const updated: string[][] = [];
  const answers: Answers = {
    "buildstream.v2.ReferenceStorage/GetReference": missing,
    "buildstream.v2.ReferenceStorage/UpdateReference": (request) => {
      updated.push(fromBinary(UpdateReferenceRequestSchema, request).keys);
      return new Uint8Array(0);
    },
  };
  await using server = await startAnswering(answers);
  assert.equal(await referenceIndex(server.calls).publish(artifact("1.x"), noContent, signal), "published");
  assert.deepEqual(updated, [["project/element/strong"], ["project/element/weak"]]);
});

describe("ArtifactService", () => {
  const known = toBinary(ArtifactSchema, create(ArtifactSchema, { strongKey: "strong" }));
  /** With a field that no schema has, as a later release may send. */
  const message = Buffer.concat([known, Buffer.from([0xfa, 0x7f, 2, 1, 2])]);
  const content = digestOf(sha256, message);
  const get = "buildstream.v2.ArtifactService/GetArtifact";

  it("carries messages as they are, there and back", async () => {
    const kept = new Map<string, Uint8Array>();
    const answers: Answers = {
      [get]: (request) => kept.get(fromBinary(UpdateArtifactRequestSchema, request).cacheKey) ?? missing(),
      "buildstream.v2.ArtifactService/UpdateArtifact": (request) => {
        const { cacheKey, artifact: sent } = fromBinary(UpdateArtifactRequestSchema, request);
        kept.set(cacheKey, toBinary(ArtifactSchema, sent ?? create(ArtifactSchema)));
        return new Uint8Array(0);
      },
    };
    await using server = await startAnswering(answers);
    const index = artifactServiceIndex(server.calls);
    const whole = artifact("1.9x", { content, message });
    assert.equal(await index.publish(whole, noContent, signal), "published");
    assert.equal(await index.publish(whole, noContent, signal), "present");
    assert.deepEqual([...kept.keys()], ["project/element/strong", "project/element/weak"]);
    const back = await index.find(question, signal);
    assert.deepEqual([back?.content, Buffer.from(back?.message ?? [])], [content, message]);
  });

  it("puts a new strong key although the weak one is known", async () => {
    const put: string[] = [];
    const answers: Answers = {
      [get]: (request) =>
        fromBinary(UpdateArtifactRequestSchema, request).cacheKey.endsWith("weak") ? message : missing(),
      "buildstream.v2.ArtifactService/UpdateArtifact": (request) => {
        put.push(fromBinary(UpdateArtifactRequestSchema, request).cacheKey);
        return new Uint8Array(0);
      },
    };
    await using server = await startAnswering(answers);
    await artifactServiceIndex(server.calls).publish(artifact("1.9x", { content, message }), noContent, signal);
    assert.deepEqual(put, ["project/element/strong"]);
  });

  it("is an error where what it gives is no artifact", async () => {
    await using server = await startAnswering({ [get]: () => Buffer.from("\x08") });
    await assert.rejects(artifactServiceIndex(server.calls).find(question, signal), { code: "unavailable" });
  });
});
