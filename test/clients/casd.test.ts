import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertAllPulled, assertQueue, checkoutListing, removeUpstream } from "./bst2/inspect.ts";
import { testBlob } from "./support/blob.ts";
import { startCasd } from "./support/casd.ts";
import { clientsFolder } from "./support/checkout.ts";
import { connectGrpcurl, type Grpcurl, grpcCode } from "./support/grpcurl.ts";
import { runOk } from "./support/program.ts";
import { elementCount } from "./support/project.ts";
import { artifactsAt, bothAt, openSite, type Site } from "./support/site.ts";

const version = "2.8.1";
const cas = "build.bazel.remote.execution.v2.ContentAddressableStorage";
const actionCache = "build.bazel.remote.execution.v2.ActionCache";
const buildAll = ["build", "--deps", "all", "all.bst"];

/** A new casd whose every service is a proxy of the server at `address`, in one instance of it. */
async function proxyOf(site: Site, address: string, instance = "") {
  const remotes = ["cas", "ac", "ra"].flatMap((service) => {
    return [`--${service}-remote=http://${address}`, `--${service}-instance=${instance}`, `--${service}-retry-limit=1`];
  });
  return startCasd(await site.workspace.folder("casd"), remotes);
}

function throughCasd(socket: string, push: boolean) {
  const entry = { url: `unix:${socket}`, push };
  return { artifacts: [entry], sources: [entry] };
}

/** grpcurl at a casd, with the descriptions of the services as `address` tells them by reflection. */
async function grpcurlAt(site: Site, socket: string, address: string): Promise<Grpcurl> {
  const descriptions = join(await site.workspace.folder("descriptions"), "services.bin");
  const words = ["-plaintext", "-protoset-out", descriptions, address, "describe"];
  await runOk(join(clientsFolder, "bin/grpcurl"), words);
  return connectGrpcurl(socket, ["-plaintext", "-unix", "-protoset", descriptions]);
}

describe("buildbox-casd as a proxy", { concurrency: 2 }, () => {
  test("what BuildStream pushes to a casd arrives, and comes back through another", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    await using pushing = await proxyOf(site, server.address);
    const builder = await site.machine("builder", throughCasd(pushing.socket, true));
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
    await removeUpstream(site);
    const listing = await checkoutListing(builder, site);

    const direct = await site.machine("direct", bothAt(server, false));
    assertAllPulled(await direct.ok(site.project, ...buildAll));
    assert.deepEqual(await checkoutListing(direct, site), listing);

    await using pulling = await proxyOf(site, server.address);
    const puller = await site.machine("puller", throughCasd(pulling.socket, false));
    assertAllPulled(await puller.ok(site.project, ...buildAll));
    assert.deepEqual(await checkoutListing(puller, site), listing);
    await puller.ok(site.project, "source", "fetch", "--deps", "all", "all.bst");
  });

  test("blobs and action results pass, each into its instance", async () => {
    await using site = await openSite(version);
    const server = await site.serve(["--instance", "yards/north", "--instance", "yards/south"]);
    await using casd = await proxyOf(site, server.address, "yards/north");
    const proxy = await grpcurlAt(site, casd.socket, server.address);
    const direct = await connectGrpcurl(server.address);
    const ok = async (client: Grpcurl, method: string, request: object) => {
      const result = await client.call(method, request);
      assert.equal(result.code, grpcCode.ok, `${method}\n${result.error}`);
      return result.messages[0];
    };
    const crane = testBlob("lifts 40 t\n");
    await ok(proxy, `${cas}/BatchUpdateBlobs`, { requests: [crane] });
    const asked = (instance: string) => ({ instance_name: instance, blob_digests: [crane.digest] });
    assert.deepEqual(await ok(direct, `${cas}/FindMissingBlobs`, asked("yards/north")), {});
    const south = await ok(direct, `${cas}/FindMissingBlobs`, asked("yards/south"));
    assert.deepEqual(south, { missingBlobDigests: [crane.digest] });

    const key = { action_digest: testBlob("an action").digest };
    const result = { outputFiles: [{ path: "out/crane.txt", digest: crane.digest }], exitCode: 3 };
    await ok(proxy, `${actionCache}/UpdateActionResult`, { ...key, action_result: result });
    const found = await ok(direct, `${actionCache}/GetActionResult`, { ...key, instance_name: "yards/north" });
    assert.deepEqual([found.outputFiles, found.exitCode], [result.outputFiles, 3]);

    await using fresh = await proxyOf(site, server.address, "yards/north");
    const other = await grpcurlAt(site, fresh.socket, server.address);
    assert.equal((await ok(other, `${actionCache}/GetActionResult`, key)).exitCode, 3);
    const read = await ok(other, `${cas}/BatchReadBlobs`, { digests: [crane.digest] });
    assert.equal(read.responses[0].data, crane.data);
    const absent = { action_digest: testBlob("another action").digest };
    assert.equal((await other.call(`${actionCache}/GetActionResult`, absent)).code, grpcCode.notFound);
  });

  test("in front of a listener that only gives, pulls pass and pushes are refused", async () => {
    await using site = await openSite(version);
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    const server = await site.serve(listen);
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    await using casd = await proxyOf(site, server.listeners[1]?.address ?? "");
    const puller = await site.machine("puller", throughCasd(casd.socket, false));
    assertAllPulled(await puller.ok(site.project, ...buildAll));

    const pusher = await site.machine("pusher", throughCasd(casd.socket, true));
    const pushed = await pusher.run(site.project, "build", "sub/deep+plus.bst");
    assert.match(pushed.stderr, /PERMISSION_DENIED/);
    const proxy = await grpcurlAt(site, casd.socket, server.address);
    const fresh = testBlob("a reader's blob");
    const written = await proxy.call(`${cas}/BatchUpdateBlobs`, { requests: [fresh] });
    const refused =
      written.code !== grpcCode.ok || (written.messages[0].responses[0].status?.code ?? 0) !== grpcCode.ok;
    assert.ok(refused, JSON.stringify(written));
    const direct = await connectGrpcurl(server.address);
    const missing = await direct.call(`${cas}/FindMissingBlobs`, { blob_digests: [fresh.digest] });
    assert.deepEqual(missing.messages, [{ missingBlobDigests: [fresh.digest] }]);
  });
});
