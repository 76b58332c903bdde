import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { elementCount } from "../support/project.ts";
import { artifactsAt, bothAt, openSite } from "../support/site.ts";
import { artifactListing, artifactLog, assertQueue, checkoutListing, keyOf } from "./inspect.ts";

/** Artifacts that are more, less or other than a plain success under its strong key. */
export function testOutcomes(version: string): void {
  test("a failed build comes back as a failure, with its log and its build tree", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    const failed = await builder.run(site.project, "build", "broken.bst");
    assert.notEqual(failed.status, 0);
    assertQueue(failed, "Push", "processed", 3);

    const other = await site.machine("other", { ...artifactsAt(server, false), cache: { "pull-buildtrees": true } });
    const again = await other.run(site.project, "build", "broken.bst");
    assert.notEqual(again.status, 0);
    assertQueue(again, "Pull", "processed", 3);
    assertQueue(again, "Build", "failed", 1);
    // The same log to the microsecond: it was not run a second time.
    assert.equal(await artifactLog(other, site, "broken.bst"), await artifactLog(builder, site, "broken.bst"));
    assert.match(await artifactLog(other, site, "broken.bst"), /the cargo broke/);
    const shown = await other.ok(site.project, "artifact", "show", "broken.bst");
    assert.match(shown.stdout, /failed broken\.bst/);
    const shell = ["shell", "--build", "--use-buildtree", "broken.bst", "--", "cat", "wreck.txt"];
    assert.match((await other.ok(site.project, ...shell)).stdout, /the cargo broke/);
  });

  test("build trees are pushed, and pulled by those who ask", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const cache = { "cache-buildtrees": "always" };
    const builder = await site.machine("builder", { ...artifactsAt(server, true), cache });
    await builder.ok(site.project, "build", "app.bst");

    const pull = ["artifact", "pull", "--deps", "all", "app.bst"];
    const shell = ["shell", "--build", "--use-buildtree", "app.bst", "--", "cat", "app.txt"];
    const plain = await site.machine("plain", artifactsAt(server, false));
    await plain.ok(site.project, ...pull);
    const refused = await plain.run(site.project, ...shell);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /Buildtree is not cached locally/);

    const curious = await site.machine("curious", {
      ...artifactsAt(server, false),
      cache: { "pull-buildtrees": true },
    });
    await curious.ok(site.project, ...pull);
    const shown = await curious.ok(site.project, ...shell);
    assert.match(shown.stdout, /lifts 40 t\ncrates\/shelf0\/crate0\.txt/);

    // A machine that already has the artifact fetches only what it lacks.
    const later = await plain.configured({ ...artifactsAt(server, false), cache: { "pull-buildtrees": true } });
    await later.ok(site.project, ...pull);
    assert.equal((await later.ok(site.project, ...shell)).stdout, shown.stdout);
  });

  test("a full cache fails pushes that it has no room for, and misleads nobody", async () => {
    await using site = await openSite(version);
    const server = await site.serve(["--quota", "4MiB"]);
    const builder = await site.machine("builder", bothAt(server, true));
    const built = await builder.run(site.project, "--on-error", "continue", "build", "all.bst");
    assert.notEqual(built.status, 0);
    assertQueue(built, "Build", "processed", elementCount);
    assert.ok(built.queue("Push").failed > 0, built.stderr);
    assert.match(built.stderr, /Failed to push artifact blobs: Failed to upload blob [0-9a-f]+: 14/); // UNAVAILABLE
    assert.match(built.stderr, /Failed to push source blobs/);
    assert.doesNotMatch(built.stderr, /Traceback|BUG/);
    assert.match(server.log(), /the store is full/);

    // What did get through is whole; the rest is missing, and built.
    const other = await site.machine("other", bothAt(server, false));
    await other.ok(site.project, "build", "--deps", "all", "all.bst");
    assert.deepEqual(await checkoutListing(other, site), await checkoutListing(builder, site));
  });

  test("a build that is not strict takes an artifact by its weak key", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "app.bst");
    const before = await keyOf(builder, site, "app.bst");
    await appendFile(join(site.project.folder, "files/lib/crane.txt"), "lifts 90 t\n");
    assert.notEqual(await keyOf(builder, site, "app.bst"), before, "the strong key did not change");

    const strict = await site.machine("strict", artifactsAt(server, false));
    assertQueue(await strict.ok(site.project, "build", "app.bst"), "Build", "processed", 2);

    const loose = await site.machine("loose", artifactsAt(server, false));
    const built = await loose.ok(site.project, "--no-strict", "build", "app.bst");
    assertQueue(built, "Build", "processed", 1);
    assert.match(built.stderr, /build:lib\.bst/);
    // What it got is the old artifact, which knew the old library.
    const old = `harbour/app/${before}`;
    assert.equal(await artifactLog(loose, site, old), await artifactLog(builder, site, old));
    assert.deepEqual(await artifactListing(loose, site, old), await artifactListing(builder, site, old));
  });
}
