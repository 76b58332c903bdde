import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { elementCount } from "../support/project.ts";
import { artifactsAt, bothAt, openSite } from "../support/site.ts";
import { assertAllPulled, assertQueue, checkoutListing, removeUpstream } from "./inspect.ts";

const buildAll = ["build", "--deps", "all", "all.bst"];

/** Ways to lay out servers, and rights. */
export function testDeployments(version: string): void {
  test("one server keeps the index, another the blobs", async () => {
    await using site = await openSite(version);
    const index = await site.serve(["--services", "index"]);
    const storage = await site.serve(["--services", "storage"]);
    const servers = (push: boolean) => [
      { url: `http://${index.address}`, push, type: "index" } as const,
      { url: `http://${storage.address}`, push, type: "storage" } as const,
    ];
    const builder = await site.machine("builder", { artifacts: servers(true), sources: servers(true) });
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
    await removeUpstream(site);

    const puller = await site.machine("puller", { artifacts: servers(false), sources: servers(false) });
    assertAllPulled(await puller.ok(site.project, ...buildAll));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
    const taker = await site.machine("taker", { sources: servers(false) });
    await taker.ok(site.project, "source", "fetch", "--deps", "all", "all.bst");
  });

  test("the server is a client's own storage", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const cache = { "storage-service": { url: `http://${server.address}` } };
    const builder = await site.machine("builder", { cache });
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Build", "processed", elementCount);
    const listing = await checkoutListing(builder, site);

    // Without its own blobs the machine has nothing but the names of its artifacts.
    await rm(join(builder.cache, "cas"), { recursive: true });
    const bare = await builder.configured({});
    assert.notEqual((await bare.run(site.project, "artifact", "checkout", "--tar", "-", "all.bst")).status, 0);
    assert.deepEqual(await checkoutListing(builder, site), listing);

    const pushing = await builder.configured({ ...artifactsAt(server, true), cache });
    const pushed = await pushing.ok(site.project, "artifact", "push", "--deps", "all", "all.bst");
    assertQueue(pushed, "Push", "processed", elementCount);
    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, ...buildAll));
    assert.deepEqual(await checkoutListing(puller, site), listing);
  });

  test("who may only read pulls everything, and a push is refused with a reason", async () => {
    await using site = await openSite(version);
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    const server = await site.serve(listen);
    const [, publicPort] = server.listeners;
    assert.ok(publicPort !== undefined && !publicPort.push);
    const url = `http://${publicPort.address}`;
    const builder = await site.machine("builder", bothAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    await removeUpstream(site);

    const reader = await site.machine("reader", { artifacts: [{ url }], sources: [{ url }] });
    assertAllPulled(await reader.ok(site.project, ...buildAll));
    await reader.ok(site.project, "source", "fetch", "--deps", "all", "all.bst");

    const pusher = await builder.configured({ artifacts: [{ url, push: true }], sources: [{ url, push: true }] });
    const artifactPush = await pusher.run(site.project, "artifact", "push", "app.bst");
    assert.notEqual(artifactPush.status, 0);
    assert.match(artifactPush.stderr, /Remote initialisation failed with status PERMISSION_DENIED/);
    assert.match(artifactPush.stderr, /No artifact caches available for pushing artifacts/);
    const sourcePush = await pusher.run(site.project, "source", "push", "app.bst");
    assert.notEqual(sourcePush.status, 0);
    assert.match(sourcePush.stderr, /PERMISSION_DENIED/);
  });

  test("a refused push entry beside a pull entry costs a warning and nothing else", async () => {
    await using site = await openSite(version);
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    const server = await site.serve(listen);
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    const url = `http://${server.listeners[1]?.address}`;
    const hopeful = await site.machine("hopeful", { artifacts: [{ url, push: true }, { url }] });
    const pulled = await hopeful.ok(site.project, ...buildAll);
    assertAllPulled(pulled);
    assert.match(pulled.stderr, /WARNING.*\n?.*PERMISSION_DENIED/);
  });

  test("what one instance has, another has not", async () => {
    await using site = await openSite(version);
    const server = await site.serve(["--instance", "yards/north", "--instance", "yards/south"]);
    const at = (name: string, push: boolean) => {
      return { artifacts: [{ url: `http://${server.address}`, push, "instance-name": name }] };
    };
    const builder = await site.machine("builder", at("yards/north", true));
    await builder.ok(site.project, "build", "all.bst");
    const neighbour = await site.machine("neighbour", at("yards/north", false));
    assertAllPulled(await neighbour.ok(site.project, ...buildAll));
    const stranger = await site.machine("stranger", at("yards/south", false));
    assertQueue(await stranger.ok(site.project, ...buildAll), "Build", "processed", elementCount);
    const lost = await site.machine("lost", at("yards/nowhere", false));
    const warned = await lost.ok(site.project, "build", "base.bst");
    assert.match(warned.stderr, /Remote initialisation failed with status NOT_FOUND/);
  });
}
