import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../base/digest.ts";
import { sha1, sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { memoryTenant } from "../../cache/tenant.fixture.ts";
import { tenantsOf } from "../../cache/tenant.ts";
import { messageOf, putBlob, putDirectory } from "../../cache/tree.fixture.ts";
import {
  FetchBlobRequestSchema,
  FetchBlobResponseSchema,
  FetchDirectoryRequestSchema,
  FetchDirectoryResponseSchema,
  PushBlobRequestSchema,
  PushDirectoryRequestSchema,
} from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { ArtifactSchema } from "../../gen/buildstream/v2/artifact_pb.ts";
import { Origin } from "../../origin/origin.ts";
import { callUnary, visit } from "./calling.fixture.ts";
import { fetchService, pushService } from "./remote-asset.ts";

const uri = "urn:fdc:buildstream.build:2020:artifact:project/element/key";
const blob = (text: string) => messageOf(digestOf(sha256, Buffer.from(text)));

function setUp() {
  const tenant = memoryTenant("a/b");
  const tenants = tenantsOf([tenant, memoryTenant("other")]);
  const [fetch, push] = [fetchService(tenants), pushService(tenants)];
  return {
    tenant,
    fetchBlob: async (init: MessageInitShape<typeof FetchBlobRequestSchema>) => {
      const request = create(FetchBlobRequestSchema, init);
      if (init.instanceName === undefined) request.instanceName = "a/b";
      return fromBinary(
        FetchBlobResponseSchema,
        await callUnary(fetch, "FetchBlob", toBinary(FetchBlobRequestSchema, request)),
      );
    },
    fetchDirectory: async (uris: string[]) => {
      const request = create(FetchDirectoryRequestSchema, { instanceName: "a/b", uris });
      const response = await callUnary(fetch, "FetchDirectory", toBinary(FetchDirectoryRequestSchema, request));
      return fromBinary(FetchDirectoryResponseSchema, response);
    },
    pushBlob: (init: MessageInitShape<typeof PushBlobRequestSchema>, rights = { push: true }) => {
      const request = create(PushBlobRequestSchema, init);
      if (init.instanceName === undefined) request.instanceName = "a/b";
      return callUnary(push, "PushBlob", toBinary(PushBlobRequestSchema, request), rights);
    },
    pushDirectory: (init: MessageInitShape<typeof PushDirectoryRequestSchema>, rights = { push: true }) => {
      const request = create(PushDirectoryRequestSchema, { instanceName: "a/b", ...init });
      return callUnary(push, "PushDirectory", toBinary(PushDirectoryRequestSchema, request), rights);
    },
  };
}

describe("the probes by which BuildStream judges a remote", () => {
  it("an empty FetchBlob is INVALID_ARGUMENT, an unknown instance NOT_FOUND", async () => {
    const { fetchBlob } = setUp();
    await assert.rejects(fetchBlob({}), { code: "invalid" });
    await assert.rejects(fetchBlob({ instanceName: "unknown" }), { code: "not-found" });
  });

  it("an empty PushBlob asks for the right first, then for the instance, then for URIs", async () => {
    const { pushBlob } = setUp();
    await assert.rejects(pushBlob({ instanceName: "unknown" }, { push: false }), { code: "forbidden" });
    await assert.rejects(pushBlob({}, { push: false }), { code: "forbidden" });
    await assert.rejects(pushBlob({ instanceName: "unknown" }), { code: "not-found" });
    await assert.rejects(pushBlob({}), { code: "invalid" });
  });
});

describe("Fetch and Push", () => {
  it("carry everything of a blob there and back", async () => {
    const { tenant, pushBlob, fetchBlob } = setUp();
    await putBlob(tenant.blobs, "content");
    const qualifiers = [{ name: "resource_type", value: "file" }];
    const expireAt = { seconds: 5_000_000_000n, nanos: 5_000_000 };
    const response = await pushBlob({ uris: ["urn:x"], qualifiers, expireAt, blobDigest: blob("content") });
    assert.equal(response.length, 0);
    const found = await fetchBlob({ uris: ["urn:absent", "urn:x"], qualifiers });
    assert.deepEqual([found.uri, found.blobDigest, found.digestFunction], ["urn:x", blob("content"), 1]);
    assert.deepEqual(found.expiresAt && [found.expiresAt.seconds, found.expiresAt.nanos], [5_000_000_000n, 5_000_000]);
    assert.equal(found.status?.code, 0);
    assert.deepEqual(
      found.qualifiers.map(({ name, value }) => ({ name, value })),
      qualifiers,
    );
    await assert.rejects(fetchBlob({ uris: ["urn:x"] }), { code: "not-found" });
    const oldestContentAccepted = { seconds: 1n, nanos: 1_000_000 };
    await assert.rejects(fetchBlob({ uris: ["urn:x"], qualifiers, oldestContentAccepted }), { code: "not-found" });
    assert.ok(await fetchBlob({ uris: ["urn:x"], qualifiers, oldestContentAccepted: { seconds: 1n, nanos: 0 } }));
  });

  it("carry a directory, apart from blobs", async () => {
    const { tenant, pushDirectory, fetchDirectory, fetchBlob } = setUp();
    const rootDirectoryDigest = messageOf(await putDirectory(tenant.blobs, { file: "content" }));
    await assert.rejects(pushDirectory({ uris: [uri], rootDirectoryDigest }, { push: false }), { code: "forbidden" });
    await pushDirectory({ uris: [uri], rootDirectoryDigest });
    assert.deepEqual((await fetchDirectory([uri])).rootDirectoryDigest, rootDirectoryDigest);
    await assert.rejects(fetchBlob({ uris: [uri] }), { code: "not-found" });
  });

  it("take an artifact as BuildStream 2.4 pushes it: references without a hash, sources that are not there", async () => {
    const { tenant, pushBlob, fetchBlob } = setUp();
    const files = messageOf(await putDirectory(tenant.blobs, { bin: { tool: "tool" } }));
    for (const text of ["public", "low", "high", "log"]) await putBlob(tenant.blobs, text);
    const artifact = create(ArtifactSchema, {
      files,
      publicData: blob("public"),
      lowDiversityMeta: blob("low"),
      highDiversityMeta: blob("high"),
      logs: [{ name: "log", digest: blob("log") }],
      sources: blob("a directory that was never uploaded"),
    });
    const blobDigest = messageOf(await putBlob(tenant.blobs, toBinary(ArtifactSchema, artifact)));
    const nothing = { hash: "", sizeBytes: 0n };
    await pushBlob({
      uris: [uri, `${uri}-weak`],
      blobDigest,
      referencesBlobs: [blob("low"), blob("high"), blob("log")],
      referencesDirectories: [files, nothing, blob("a directory that was never uploaded"), nothing],
    });
    assert.deepEqual((await fetchBlob({ uris: [`${uri}-weak`] })).blobDigest, blobDigest);
    await tenant.blobs.remove(digestOf(sha256, Buffer.from("tool")));
    await assert.rejects(fetchBlob({ uris: [uri] }), { code: "not-found" });
  });

  it("show no secrets of a URI in the log, and others as they are", async () => {
    const { tenant } = setUp();
    const shown = { "https://u:secret@host/a?token=secret": "https://host/a", "urn:x?y": "urn:x?y" };
    for (const service of [fetchService(tenantsOf([tenant])), pushService(tenantsOf([tenant]))]) {
      for (const [name, method] of Object.entries(service.methods)) {
        for (const [given, subject] of Object.entries(shown)) {
          const request = toBinary(PushBlobRequestSchema, create(PushBlobRequestSchema, { uris: [given] }));
          const fetching = toBinary(FetchBlobRequestSchema, create(FetchBlobRequestSchema, { uris: [given] }));
          const call = { ...visit({ push: true }), method: name };
          assert.ok(method.kind === "unary");
          await assert.rejects(async () => method.handle(name.startsWith("Fetch") ? fetching : request, call));
          assert.equal(call.subject, subject);
        }
      }
    }
  });

  it("answer who may only pull with what is here, however it came, and with the spelling of a fetch", async () => {
    const { tenant } = setUp();
    const rules = { mode: "verified", allow: [], deny: [], maxBytes: 1000, timeoutMs: 1000 } as const;
    const origin = new Origin({ rules, staging: () => tenant.blobs, userAgent: "test", log: silentLog });
    const digest = await putBlob(tenant.blobs, "content");
    const value = `sha256-${Buffer.from(digest.hash, "hex").toString("base64")}`;
    const ask = async (uris: string[], qualifiers = [{ name: "checksum.sri", value: ` ${value}` }]) => {
      const request = create(FetchBlobRequestSchema, { instanceName: "a/b", uris, qualifiers });
      const bytes = toBinary(FetchBlobRequestSchema, request);
      const service = fetchService(tenantsOf([tenant]), origin);
      return fromBinary(FetchBlobResponseSchema, await callUnary(service, "FetchBlob", bytes, { push: false }));
    };
    const found = await ask(["https://host/a"]);
    assert.deepEqual([found.blobDigest?.hash, found.qualifiers[0]?.value], [digest.hash, value]);
    await assert.rejects(ask(["https://host/a"], []), { code: "not-found", message: /only who may push/ });
    await assert.rejects(ask(["urn:x"]), { code: "not-found" });
    await origin.close();
  });

  it("keep instances apart", async () => {
    const { tenant, pushBlob, fetchBlob } = setUp();
    await putBlob(tenant.blobs, "content");
    await pushBlob({ uris: ["urn:x"], blobDigest: blob("content") });
    await assert.rejects(fetchBlob({ instanceName: "other", uris: ["urn:x"] }), { code: "not-found" });
  });

  it("tell the hash function by the hash's length, unless it is named", async () => {
    const { tenant, pushBlob, fetchBlob } = setUp();
    const blobDigest = messageOf(await putBlob(tenant.blobs, "content", sha1));
    await pushBlob({ uris: ["urn:x"], blobDigest });
    assert.equal((await fetchBlob({ uris: ["urn:x"] })).digestFunction, 2);
    assert.ok(await fetchBlob({ uris: ["urn:x"], digestFunction: 2 }));
    await assert.rejects(fetchBlob({ uris: ["urn:x"], digestFunction: 1 }), { code: "not-found" });
    await assert.rejects(fetchBlob({ uris: ["urn:x"], digestFunction: 3 }), { code: "invalid" });
    await assert.rejects(pushBlob({ uris: ["urn:x"], blobDigest, digestFunction: 1 }), { code: "invalid" });
  });

  const time = (seconds: bigint) => ({ seconds, nanos: 0 });
  const bad: [what: string, request: MessageInitShape<typeof PushBlobRequestSchema>][] = [
    ["no URIs", { blobDigest: blob("x") }],
    ["no digest", { uris: ["urn:x"] }],
    ["a digest without a hash", { uris: ["urn:x"], blobDigest: { hash: "", sizeBytes: 0n } }],
    ["a hash that is none", { uris: ["urn:x"], blobDigest: { hash: "xyz", sizeBytes: 1n } }],
    ["a negative size", { uris: ["urn:x"], blobDigest: { ...blob("x"), sizeBytes: -1n } }],
    ["a reference that is none", { uris: ["urn:x"], blobDigest: blob("x"), referencesBlobs: [{ hash: "xyz" }] }],
    ["a time beyond the calendar", { uris: ["urn:x"], blobDigest: blob("x"), expireAt: time(1n << 60n) }],
    ["a time before the calendar", { uris: ["urn:x"], blobDigest: blob("x"), expireAt: time(-(1n << 60n)) }],
  ];
  for (const [what, request] of bad) {
    it(`refuse a push with ${what}`, async () => {
      const { tenant, pushBlob } = setUp();
      await assert.rejects(pushBlob(request), { code: "invalid" });
      assert.equal(tenant.refs.count("asset"), 0);
    });
  }

  it("refuse bytes that are no message", async () => {
    const { tenant } = setUp();
    const tenants = tenantsOf([tenant]);
    const bytes = Buffer.from("\n\x7fnot a message");
    await assert.rejects(callUnary(fetchService(tenants), "FetchDirectory", bytes), { code: "invalid" });
    await assert.rejects(callUnary(pushService(tenants), "PushDirectory", bytes), { code: "invalid" });
  });
});
