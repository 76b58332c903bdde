import assert from "node:assert/strict";
import { test } from "node:test";
import { checkoutListing, showAll } from "../bst1/inspect.ts";
import { assertQueue, removeUpstream } from "../bst2/inspect.ts";
import { startOldServer } from "../support/old-server.ts";
import { ownClient } from "../support/own-client.ts";
import { elementCount } from "../support/project.ts";
import { artifactsAt, openSite } from "../support/site.ts";
import { results } from "./with-bst2.ts";

/** A server of the older generation, taken over into ours. */
export function testOldServers(version: string): void {
  test(`what bst ${version} pushed to its own server is mirrored to ours, where it pulls it`, async () => {
    await using site = await openSite(version);
    await using old = await startOldServer("1", await site.workspace.folder("old"));
    const builder = await site.machine("builder", artifactsAt(old, true));
    await builder.ok(site.project, "build", "all.bst");
    await removeUpstream(site);
    const elements = (await showAll(builder, site)).map((line) => line.split(" "));
    const names = elements.map(([file = "", key = ""]) => `harbour/${file}/${key}`);
    const own = ownClient(await site.workspace.folder("own"), "/");
    const server = await site.serve();
    const mirror = ["mirror", `http://${old.address}`, `http://${server.address}`];
    assert.deepEqual(results(await own.ok(...mirror, ...names)), { copied: elementCount });
    assert.deepEqual(results(await own.ok(...mirror, ...names)), { present: elementCount });
    // It cannot be asked what it has.
    const all = await own.run(...mirror);
    assert.equal(all.status, 1);
    const puller = await site.machine("puller", artifactsAt(server, false));
    const pulled = await puller.ok(site.project, "pull", "--deps", "all", "all.bst");
    assertQueue(pulled, "Pull", "processed", elementCount);
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
  });
}
