import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { testBlob, testDirectory } from "./support/blob.ts";
import { makeCertificates } from "./support/certificates.ts";
import { connectGrpcurl, type Grpcurl, grpcCode } from "./support/grpcurl.ts";
import { startServer } from "./support/stillage.ts";
import { createWorkspace } from "./support/workspace.ts";

const cas = "build.bazel.remote.execution.v2.ContentAddressableStorage";
const actionCache = "build.bazel.remote.execution.v2.ActionCache";
const capabilities = "build.bazel.remote.execution.v2.Capabilities/GetCapabilities";
const byteStream = "google.bytestream.ByteStream";
const fetch = "build.bazel.remote.asset.v1.Fetch";
const push = "build.bazel.remote.asset.v1.Push";
const health = "grpc.health.v1.Health/Check";

const methods: Readonly<Record<string, readonly string[]>> = {
  [cas]: ["FindMissingBlobs", "BatchUpdateBlobs", "BatchReadBlobs", "GetTree"],
  [actionCache]: ["GetActionResult", "UpdateActionResult"],
  "build.bazel.remote.execution.v2.Capabilities": ["GetCapabilities"],
  [byteStream]: ["Read", "Write", "QueryWriteStatus"],
  [fetch]: ["FetchBlob", "FetchDirectory"],
  [push]: ["PushBlob", "PushDirectory"],
  "grpc.health.v1.Health": ["Check", "Watch"],
};

const crane = testBlob("lifts 40 t\n");
const folder = testDirectory("crane.txt", crane);
const absent = testBlob("nobody has this");

describe("grpcurl by reflection", () => {
  const opened = new AsyncDisposableStack();
  /** Of the listener that takes everything, and of the one that only gives. */
  let all: Grpcurl;
  let reading: Grpcurl;
  /** Hangs up after two seconds. */
  let watching: Grpcurl;

  before(async () => {
    const workspace = opened.use(await createWorkspace());
    const { server: own } = await makeCertificates(await workspace.folder("certificates"));
    const tls = `cert=${own.certificate},key=${own.key}`;
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", `address=127.0.0.1:0,push=false,${tls}`];
    const options = [...listen, "--instance", "", "--instance", "yards/north"];
    const server = opened.use(await startServer(await workspace.folder("store"), options));
    all = await connectGrpcurl(server.address);
    watching = await connectGrpcurl(server.address, ["-plaintext", "-max-time", "2"]);
    reading = await connectGrpcurl(server.listeners[1]?.address ?? "", ["-cacert", own.certificate]);
  });

  after(() => opened.disposeAsync());

  async function expect(code: number, method: string, ...requests: object[]) {
    const result = await all.call(method, ...requests);
    assert.equal(result.code, code, `${method}\n${result.error}`);
    return result.messages[0];
  }

  test("list and describe every service", async () => {
    const listed = (await all.ask("list")).trim().split("\n");
    for (const service of [...Object.keys(methods), "grpc.reflection.v1.ServerReflection"]) {
      assert.ok(listed.includes(service), `${service} is not in the list:\n${listed.join("\n")}`);
      const described = await all.ask("describe", service);
      for (const method of methods[service] ?? []) assert.match(described, new RegExp(`rpc ${method} \\(`));
    }
    assert.match(await all.ask("describe", "build.bazel.remote.execution.v2.ActionResult"), /output_directories/);
  });

  test("health", async () => {
    assert.deepEqual(await expect(grpcCode.ok, health, {}), { status: "SERVING" });
    assert.deepEqual(await expect(grpcCode.ok, health, { service: cas }), { status: "SERVING" });
    await expect(grpcCode.notFound, health, { service: "no.such.Service" });
    const watched = await watching.call("grpc.health.v1.Health/Watch", {});
    assert.deepEqual(watched.messages, [{ status: "SERVING" }]);
    assert.equal(watched.code, grpcCode.deadlineExceeded);
  });

  test("capabilities, by listener and instance", async () => {
    const found = await expect(grpcCode.ok, capabilities, {});
    assert.ok(found.cacheCapabilities.digestFunctions.includes("SHA256"));
    assert.equal(found.cacheCapabilities.actionCacheUpdateCapabilities.updateEnabled, true);
    assert.ok(Number(found.cacheCapabilities.maxBatchTotalSizeBytes) > 0);
    assert.notEqual(found.executionCapabilities?.execEnabled, true);
    assert.deepEqual(await expect(grpcCode.ok, capabilities, { instance_name: "yards/north" }), found);
    await expect(grpcCode.notFound, capabilities, { instance_name: "yards/nowhere" });
    const reader = (await reading.call(capabilities, {})).messages[0];
    assert.notEqual(reader.cacheCapabilities.actionCacheUpdateCapabilities?.updateEnabled, true);
  });

  test("blobs in batches", async () => {
    const wrong = { digest: absent.digest, data: crane.data };
    const update = await expect(grpcCode.ok, `${cas}/BatchUpdateBlobs`, { requests: [crane, folder, wrong] });
    assert.deepEqual(
      update.responses.map((one: { status?: { code?: number } }) => one.status?.code ?? 0),
      [grpcCode.ok, grpcCode.ok, grpcCode.invalidArgument],
    );
    const digests = [crane.digest, folder.digest, absent.digest];
    const missing = await expect(grpcCode.ok, `${cas}/FindMissingBlobs`, { blob_digests: digests });
    assert.deepEqual(missing, { missingBlobDigests: [absent.digest] });
    const read = await expect(grpcCode.ok, `${cas}/BatchReadBlobs`, { digests: [crane.digest, absent.digest] });
    assert.equal(read.responses[0].data, crane.data);
    assert.equal(read.responses[1].status.code, grpcCode.notFound);
    const north = await expect(grpcCode.ok, `${cas}/FindMissingBlobs`, {
      instance_name: "yards/north",
      blob_digests: [crane.digest],
    });
    assert.deepEqual(north, { missingBlobDigests: [crane.digest] });
    const tree = await expect(grpcCode.ok, `${cas}/GetTree`, { root_digest: folder.digest });
    assert.deepEqual(tree.directories, [{ files: [{ name: "crane.txt", digest: crane.digest }] }]);
  });

  test("a blob as a stream", async () => {
    const bytes = Buffer.alloc(300_000, "a long line of text\n");
    const blob = testBlob(bytes);
    const name = `blobs/${blob.digest.hash}/${blob.digest.sizeBytes}`;
    const upload = `uploads/0b6a5d0e-0b1c-4f0e-9d5e-2f6f7f4f9a11/${name}`;
    const half = 150_000;
    const written = await expect(
      grpcCode.ok,
      `${byteStream}/Write`,
      { resource_name: upload, data: bytes.subarray(0, half).toString("base64") },
      { write_offset: half, data: bytes.subarray(half).toString("base64"), finish_write: true },
    );
    assert.deepEqual(written, { committedSize: blob.digest.sizeBytes });
    const status = await expect(grpcCode.ok, `${byteStream}/QueryWriteStatus`, { resource_name: upload });
    assert.deepEqual(status, { committedSize: blob.digest.sizeBytes, complete: true });
    const read = await all.call(`${byteStream}/Read`, { resource_name: name, read_offset: 7 });
    const got = Buffer.concat(read.messages.map((message) => Buffer.from(message.data, "base64")));
    assert.ok(got.equals(bytes.subarray(7)));
    const other = `blobs/${absent.digest.hash}/${absent.digest.sizeBytes}`;
    await expect(grpcCode.notFound, `${byteStream}/Read`, { resource_name: other });
  });

  test("action results, served while their outputs are there", async () => {
    await expect(grpcCode.ok, `${cas}/BatchUpdateBlobs`, { requests: [crane] });
    const key = testBlob("an action").digest;
    await expect(grpcCode.notFound, `${actionCache}/GetActionResult`, { action_digest: key });
    const result = { outputFiles: [{ path: "out/crane.txt", digest: crane.digest }], exitCode: 3 };
    await expect(grpcCode.ok, `${actionCache}/UpdateActionResult`, { action_digest: key, action_result: result });
    const found = await expect(grpcCode.ok, `${actionCache}/GetActionResult`, { action_digest: key });
    assert.deepEqual(found.outputFiles, result.outputFiles);
    assert.equal(found.exitCode, 3);

    const hollow = testBlob("another action").digest;
    const lost = { outputFiles: [{ path: "out/lost.txt", digest: absent.digest }] };
    await expect(grpcCode.ok, `${actionCache}/UpdateActionResult`, { action_digest: hollow, action_result: lost });
    await expect(grpcCode.notFound, `${actionCache}/GetActionResult`, { action_digest: hollow });
  });

  test("assets", async () => {
    await expect(grpcCode.ok, `${cas}/BatchUpdateBlobs`, { requests: [crane, folder] });
    await expect(grpcCode.invalidArgument, `${fetch}/FetchBlob`, {});
    await expect(grpcCode.invalidArgument, `${push}/PushBlob`, {});
    await expect(grpcCode.notFound, `${fetch}/FetchBlob`, { instance_name: "yards/nowhere" });
    await expect(grpcCode.notFound, `${push}/PushBlob`, { instance_name: "yards/nowhere" });

    const uris = ["urn:harbour:crane"];
    await expect(grpcCode.notFound, `${fetch}/FetchBlob`, { uris });
    await expect(grpcCode.ok, `${push}/PushBlob`, { uris, blob_digest: crane.digest });
    const blob = await expect(grpcCode.ok, `${fetch}/FetchBlob`, { uris: ["urn:harbour:none", ...uris] });
    assert.deepEqual([blob.uri, blob.blobDigest], [uris[0], crane.digest]);
    await expect(grpcCode.notFound, `${fetch}/FetchBlob`, { uris, instance_name: "yards/north" });
    await expect(grpcCode.notFound, `${fetch}/FetchDirectory`, { uris });

    await expect(grpcCode.ok, `${push}/PushDirectory`, { uris, root_directory_digest: folder.digest });
    const directory = await expect(grpcCode.ok, `${fetch}/FetchDirectory`, { uris });
    assert.deepEqual(directory.rootDirectoryDigest, folder.digest);

    const dangling = ["urn:harbour:dangling"];
    await expect(grpcCode.ok, `${push}/PushBlob`, { uris: dangling, blob_digest: absent.digest });
    await expect(grpcCode.notFound, `${fetch}/FetchBlob`, { uris: dangling });
  });

  test("where only reading is allowed every write is refused, and nothing is stored", async () => {
    await expect(grpcCode.ok, `${cas}/BatchUpdateBlobs`, { requests: [crane, folder] });
    const fresh = testBlob("a reader's blob");
    const uris = ["urn:harbour:reader"];
    const upload = `uploads/5f3b9a52-4f2f-4b43-8a0c-d0f7fba4bd01/blobs/${fresh.digest.hash}/${fresh.digest.sizeBytes}`;
    const writes: [string, object][] = [
      [`${cas}/BatchUpdateBlobs`, { requests: [fresh] }],
      [`${byteStream}/Write`, { resource_name: upload, data: fresh.data, finish_write: true }],
      [`${actionCache}/UpdateActionResult`, { action_digest: fresh.digest, action_result: { exit_code: 1 } }],
      [`${push}/PushBlob`, { uris, blob_digest: crane.digest }],
      [`${push}/PushDirectory`, { uris, root_directory_digest: folder.digest }],
      [`${push}/PushBlob`, {}],
    ];
    for (const [method, request] of writes) {
      assert.equal((await reading.call(method, request)).code, grpcCode.permissionDenied, method);
    }
    const missing = await expect(grpcCode.ok, `${cas}/FindMissingBlobs`, { blob_digests: [fresh.digest] });
    assert.deepEqual(missing, { missingBlobDigests: [fresh.digest] });
    await expect(grpcCode.notFound, `${actionCache}/GetActionResult`, { action_digest: fresh.digest });
    await expect(grpcCode.notFound, `${fetch}/FetchBlob`, { uris });
    await expect(grpcCode.notFound, `${fetch}/FetchDirectory`, { uris });

    const read = (await reading.call(`${cas}/BatchReadBlobs`, { digests: [crane.digest] })).messages[0];
    assert.equal(read.responses[0].data, crane.data);
    assert.equal((await reading.call(`${fetch}/FetchBlob`, {})).code, grpcCode.invalidArgument);
  });
});
