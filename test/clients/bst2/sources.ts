import assert from "node:assert/strict";
import { test } from "node:test";
import { bigFileBytes, elementCount } from "../support/project.ts";
import { openSite } from "../support/site.ts";
import type { ServerUnderTest } from "../support/stillage.ts";
import { assertQueue, checkoutListing, removeUpstream, sourceListing } from "./inspect.ts";

function sourcesAt(server: ServerUnderTest, push: boolean) {
  return { sources: [{ url: `http://${server.address}`, push }] };
}

/** Source caches. */
export function testSources(version: string): void {
  test("sources that one machine pushed serve another after the upstream is gone", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const giver = await site.machine("giver", sourcesAt(server, true));
    const everything = ["--deps", "all", "all.bst"];
    await giver.ok(site.project, "source", "fetch", ...everything);
    const pushed = await giver.ok(site.project, "source", "push", ...everything);
    assertQueue(pushed, "Src-push", "failed", 0);
    const expected = await sourceListing(giver, site, "app.bst");
    await removeUpstream(site);

    const alone = await site.machine("alone");
    assert.notEqual((await alone.run(site.project, "source", "fetch", ...everything)).status, 0);

    const taker = await site.machine("taker", sourcesAt(server, false));
    const fetched = await taker.ok(site.project, "source", "fetch", ...everything);
    assertQueue(fetched, "Fetch", "processed", elementCount);
    assert.match(fetched.stderr, /Pulled source \w+ <- http/);
    assert.deepEqual(await sourceListing(taker, site, "app.bst"), expected);
    assertQueue(await taker.ok(site.project, "build", "all.bst"), "Build", "processed", elementCount);
    const big = await sourceListing(taker, site, "data/big.bst");
    assert.ok(
      big.some((line) => line.includes(`big.bin ${bigFileBytes} `)),
      big.join("\n"),
    );
  });

  test("a build pushes its sources, and another machine builds from them", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", sourcesAt(server, true));
    const built = await builder.ok(site.project, "build", "all.bst");
    assertQueue(built, "Src-push", "failed", 0);
    // Elements without sources of their own share one entry; who pushes it first is not fixed.
    assert.ok(built.queue("Src-push").processed >= 5, built.stderr);
    await removeUpstream(site);

    const other = await site.machine("other", sourcesAt(server, false));
    assertQueue(await other.ok(site.project, "build", "all.bst"), "Build", "processed", elementCount);
    assert.deepEqual(await checkoutListing(other, site), await checkoutListing(builder, site));
  });
}
