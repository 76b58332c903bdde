import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { made } from "../../src/origin/archive/archive.fixture.ts";
import { startWebServer, type WebServer } from "../../src/origin/web-server.fixture.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { newBlob } from "./support/blobs.ts";
import { type Endpoint, openEndpoint } from "./support/endpoint.ts";

// What a server does that fetches from origins, seen by its clients; and one that does not.

let workspace: Workspace;
let web: WebServer;
const servers: ServerUnderTest[] = [];
const endpoints: Endpoint[] = [];
let verified: Endpoint;
let any: Endpoint;
let pullOnly: Endpoint;
let off: Endpoint;
let guarded: Endpoint;

const archive = made("mkdir -p d/e; echo -n one > d/one; echo -n two > d/e/two; tar cJf out d");
const sri = (bytes: Buffer | string) => `sha256-${createHash("sha256").update(bytes).digest("base64")}`;
const checksum = (bytes: Buffer | string) => ({ name: "checksum.sri", value: sri(bytes) });

before(async () => {
  workspace = await createWorkspace();
  web = await startWebServer();
  web.on("/file", "content");
  web.on("/d.tar.xz", archive);
  const start = async (name: string, ...options: string[]) => {
    const ports = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    const instances = ["--instance", "", "--instance", "other"];
    const server = await startServer(await workspace.folder(name), [...ports, ...instances, ...options]);
    servers.push(server);
    const opened = server.listeners.map(({ address }) => openEndpoint(`grpc://${address}`));
    endpoints.push(...opened);
    return opened as [Endpoint, Endpoint];
  };
  const allow = ["--origin-allow", `127.0.0.1:${web.port}`];
  [verified] = await start("verified", "--origin-fetch", "verified", ...allow);
  [any, pullOnly] = await start("any", "--origin-fetch", "any", ...allow);
  [guarded] = await start("guarded", "--origin-fetch", "any");
  [off] = await start("off");
});

after(async () => {
  for (const { channel } of endpoints) channel.destroy();
  for (const server of servers) await server.stop();
  await web[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
});

/** The call's status, and the fields that its details name. */
async function refusal(call: Promise<unknown>): Promise<{ status: string; message: string; fields: string[] }> {
  const error = await call.then(
    () => assert.fail("the call succeeded"),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof RpcError, String(error));
  const details = error.details === undefined ? [] : fromBinary(StatusSchema, error.details).details;
  const fields = details
    .filter(({ typeUrl }) => typeUrl === "type.googleapis.com/google.rpc.BadRequest")
    .flatMap(({ value }) => fromBinary(BadRequestSchema, value).fieldViolations.map(({ field }) => field));
  return { status: error.status, message: error.message, fields };
}

const file = () => [`${web.url}/file`];

test("a blob comes from its origin, once, and can be read", async () => {
  const request = { uris: file(), qualifiers: [checksum("content")] };
  const before = web.count("/file");
  for (let i = 0; i < 3; i++) {
    const { blobDigest, status, uri, expiresAt } = await verified.fetch.fetchBlob(request);
    assert.deepEqual([status?.code, uri, expiresAt], [0, file()[0], undefined]);
    const { responses } = await verified.cas.batchReadBlobs({ digests: blobDigest === undefined ? [] : [blobDigest] });
    assert.equal(Buffer.from(responses[0]?.data ?? []).toString(), "content");
  }
  assert.equal(web.count("/file") - before, 1);
});

test("a directory comes out of an archive, whole", async () => {
  const request = { uris: [`${web.url}/d.tar.xz`], qualifiers: [checksum(archive)] };
  const { rootDirectoryDigest } = await verified.fetch.fetchDirectory(request);
  assert.ok(rootDirectoryDigest);
  const names: string[] = [];
  const tree = verified.cas.getTree();
  await tree.send({ rootDigest: rootDirectoryDigest });
  tree.halfClose();
  for await (const { directories } of tree) {
    for (const { files, directories: below } of directories) {
      names.push(...files.map(({ name }) => name), ...below.map(({ name }) => `${name}/`));
    }
  }
  assert.deepEqual(names.sort(), ["d/", "e/", "one", "two"]);
  const part = await verified.fetch.fetchDirectory({
    ...request,
    qualifiers: [...request.qualifiers, { name: "directory", value: "d/e" }],
  });
  assert.notDeepEqual(part.rootDirectoryDigest, rootDirectoryDigest);
});

test("what is no archive is no directory", async () => {
  const { status, message } = await refusal(any.fetch.fetchDirectory({ uris: file() }));
  assert.equal(status, "FAILED_PRECONDITION");
  assert.match(message, /no archive/);
});

test("qualifiers that nobody knows are refused by name", async () => {
  const qualifiers = [{ name: "vcs.commit", value: "x" }, checksum("content"), { name: "other", value: "" }];
  for (const call of [any.fetch.fetchBlob, any.fetch.fetchDirectory]) {
    const { status, fields } = await refusal(call({ uris: file(), qualifiers }));
    assert.deepEqual([status, fields], ["INVALID_ARGUMENT", ["qualifiers.vcs.commit", "qualifiers.other"]]);
  }
});

test("a checksum is asked for by name where there has to be one", async () => {
  const { status, fields } = await refusal(verified.fetch.fetchBlob({ uris: [`${web.url}/loose`] }));
  assert.deepEqual([status, fields], ["INVALID_ARGUMENT", ["qualifiers.checksum.sri"]]);
});

test("origins' refusals are the call's", async () => {
  assert.equal((await refusal(any.fetch.fetchBlob({ uris: [`${web.url}/absent`] }))).status, "NOT_FOUND");
  const wrong = { uris: file(), qualifiers: [checksum("other")] };
  assert.equal((await refusal(any.fetch.fetchBlob(wrong))).status, "ABORTED");
  web.on("/silent", () => {});
  const slow = { uris: [`${web.url}/silent`], timeout: { seconds: 0n, nanos: 50_000_000 } };
  assert.equal((await refusal(any.fetch.fetchBlob(slow))).status, "DEADLINE_EXCEEDED");
  const negative = { uris: file(), timeout: { seconds: -1n, nanos: 0 }, oldestContentAccepted: { seconds: 1n << 33n } };
  assert.equal((await refusal(any.fetch.fetchBlob(negative))).status, "INVALID_ARGUMENT");
});

test("private networks stay closed, however they are named", async () => {
  const before = web.requests.length;
  const hosts = [
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0",
  ];
  for (const host of hosts) {
    const { status } = await refusal(guarded.fetch.fetchBlob({ uris: [`http://${host}:${web.port}/file`] }));
    assert.equal(status, "PERMISSION_DENIED", host);
  }
  web.on("/redirect", (_, response) =>
    response.writeHead(302, { location: `http://127.0.0.2:${web.port}/file` }).end(),
  );
  const { status } = await refusal(any.fetch.fetchBlob({ uris: [`${web.url}/redirect`] }));
  assert.equal(status, "PERMISSION_DENIED");
  assert.deepEqual(
    web.requests.slice(before).map(({ url }) => url),
    ["/redirect"],
  );
});

test("an address for pulls gives what is there, and fetches nothing", async () => {
  web.on("/pulled", "pulled");
  const request = { uris: [`${web.url}/pulled`] };
  const { status, message } = await refusal(pullOnly.fetch.fetchBlob(request));
  assert.equal(status, "NOT_FOUND");
  assert.match(message, /fetched for those only who may push/);
  assert.equal(web.count("/pulled"), 0);
  await any.fetch.fetchBlob(request);
  assert.ok((await pullOnly.fetch.fetchBlob(request)).blobDigest);
});

test("one instance's fetch is not the other's", async () => {
  web.on("/mine", "mine");
  const request = { uris: [`${web.url}/mine`], qualifiers: [checksum("mine")] };
  for (const instanceName of ["", "other"]) await any.fetch.fetchBlob({ ...request, instanceName });
  assert.equal(web.count("/mine"), 2);
});

test("what was pushed serves, whatever its qualifiers; a push fetches nothing, nor do BuildStream's names", async () => {
  const blob = newBlob();
  await any.cas.batchUpdateBlobs({ requests: [blob] });
  const before = web.requests.length;
  const request = { uris: [`${web.url}/pushed`], qualifiers: [{ name: "vcs.commit", value: "x" }] };
  await any.push.pushBlob({ ...request, blobDigest: blob.digest });
  assert.equal((await any.fetch.fetchBlob(request)).blobDigest?.hash, blob.digest.hash);
  const urn = ["urn:fdc:buildstream.build:2020:artifact:project/element/key"];
  const unknown = { uris: urn, qualifiers: request.qualifiers };
  assert.equal((await refusal(any.fetch.fetchBlob(unknown))).status, "NOT_FOUND");
  assert.equal((await refusal(any.fetch.fetchDirectory(unknown))).status, "NOT_FOUND");
  assert.equal((await refusal(any.fetch.fetchBlob({}))).status, "INVALID_ARGUMENT");
  assert.equal(web.requests.length, before);
});

test("a server that was not told to fetch says NOT_FOUND", async () => {
  const before = web.requests.length;
  for (const qualifiers of [[], [checksum("content")], [{ name: "vcs.commit", value: "x" }]]) {
    assert.equal((await refusal(off.fetch.fetchBlob({ uris: file(), qualifiers }))).status, "NOT_FOUND");
    assert.equal((await refusal(off.fetch.fetchDirectory({ uris: file(), qualifiers }))).status, "NOT_FOUND");
  }
  assert.equal(web.requests.length, before);
});

test("downloads are counted for the operator", async () => {
  const page = await (await fetch(`http://${servers[1]?.address}/metrics`)).text();
  assert.match(page, /^stillage_origin_downloads_total\{outcome="stored"\} [1-9]/m);
  assert.match(page, /^stillage_origin_bytes_total [1-9]/m);
});

test("a server with the names alone, or the blobs alone, has no place for what it would fetch", async () => {
  for (const services of ["index", "storage"]) {
    const folder = await workspace.folder(services);
    const options = ["--services", services, "--origin-fetch", "any"];
    await assert.rejects(startServer(folder, options), /ended early/);
  }
});

test("nothing of this is an error to the servers themselves", () => {
  for (const server of servers) assert.doesNotMatch(server.log(), /"level":"(error|fatal)"/);
});
