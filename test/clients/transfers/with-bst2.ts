import assert from "node:assert/strict";
import { test } from "node:test";
import { assertQueue, checkoutListing, showAll } from "../bst2/inspect.ts";
import { cacheAt, ownClient, type ToldResult } from "../support/own-client.ts";
import { elementCount } from "../support/project.ts";
import { artifactsAt, type Site } from "../support/site.ts";
import type { Built } from "./built.ts";

/** How often each result was told. */
export function results({ artifacts }: ToldResult): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result } of artifacts) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}

export async function ownAt(site: Site, name: string) {
  return ownClient(await site.workspace.folder(name), site.project.folder);
}

/** What we moved, the real program has, and the other way round. */
export function testTransfers(version: string, built: () => Promise<Built>): void {
  test(`what we pulled, bst ${version} has; what is here is not pulled again`, async () => {
    const { site, builder, server, names, listing } = await built();
    const own = await ownAt(site, "own-pull");
    const machine = await site.machine("pulled");
    const pull = ["artifact", "pull", ...cacheAt(machine, server.address)];
    // By the elements' files, whose keys the real bst tells, and by a glob, which our server lists.
    const first = await own.ok(...pull, "app.bst", "lib.bst");
    assert.deepEqual(results(first), { pulled: 2 });
    assert.deepEqual(results(await own.ok(...pull, "harbour/*")), { present: 2, pulled: elementCount - 2 });
    const again = await own.ok("artifact", "pull", ...cacheAt(machine, "127.0.0.1:1"), ...names);
    assert.deepEqual([results(again), again.stderr], [{ present: elementCount }, ""]);
    assert.deepEqual(await showAll(machine, site), await showAll(builder, site));
    assert.deepEqual(await checkoutListing(machine, site), listing);
    assertQueue(await machine.ok(site.project, "build", "all.bst"), "Build", "processed", 0);
    assert.equal((await own.run(...pull, "harbour/nowhere/*")).status, 1);
  });

  test(`what we pushed, bst ${version} pulls, and what bst pushed is there for us; a mirror has it all`, async () => {
    const { site, builder, names, listing, server } = await built();
    const own = await ownAt(site, "own-push");
    const [first, second] = [await site.serve(), await site.serve()];
    const push = ["artifact", "push", ...cacheAt(builder, first.address), "harbour/*"];
    assert.deepEqual(results(await own.ok(...push)), { pushed: elementCount });
    assert.deepEqual(results(await own.ok(...push)), { present: elementCount });
    const pushing = await builder.configured(artifactsAt(first, true));
    const theirs = await pushing.ok(site.project, "artifact", "push", "--deps", "all", "all.bst");
    assertQueue(theirs, "Push", "skipped", elementCount);

    const mirror = ["mirror", `http://${first.address}`, `http://${second.address}`];
    assert.deepEqual(results(await own.ok(...mirror)), { copied: elementCount });
    assert.deepEqual(results(await own.ok(...mirror)), { present: elementCount });
    // What the real program pushed, to a server, is what we pushed.
    assert.deepEqual(results(await own.ok("mirror", `http://${server.address}`, `http://${second.address}`)), {
      present: elementCount,
    });
    const machine = await site.machine("from-mirror", artifactsAt(second, false));
    const pulled = await machine.ok(site.project, "artifact", "pull", "--deps", "all", "all.bst");
    assertQueue(pulled, "Pull", "processed", elementCount);
    assert.deepEqual(await checkoutListing(machine, site), listing);
    const one = await own.ok("mirror", `http://${second.address}`, machine.cache, names[0] as string);
    assert.deepEqual(results(one), { present: 1 });
  });
}
