import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAllPulled, assertQueue, removeUpstream } from "../bst2/inspect.ts";
import { bigFileBytes, elementCount, writeProject } from "../support/project.ts";
import { artifactsAt, bothAt, openSite } from "../support/site.ts";
import { loseFile } from "../support/store.ts";
import { checkoutListing, showAll } from "./inspect.ts";

/** Builds that are pushed, and what other machines do with them. */
export function testArtifacts(version: string): void {
  test("what one machine builds and pushes, another pulls and does not build", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    const built = await builder.ok(site.project, "build", "all.bst");
    assertQueue(built, "Build", "processed", elementCount);
    assertQueue(built, "Push", "processed", elementCount);
    await removeUpstream(site);

    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--all", "all.bst"));
    assert.deepEqual(await showAll(puller, site), await showAll(builder, site));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));

    const alone = await site.machine("alone");
    assert.notEqual((await alone.run(site.project, "build", "all.bst")).status, 0, "built without server and upstream");
  });

  test("push and pull by command, and a push of what is there", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder");
    await builder.ok(site.project, "build", "all.bst");
    const pushing = await builder.configured(artifactsAt(server, true));
    const push = ["push", "--deps", "all", "all.bst"];
    assertQueue(await pushing.ok(site.project, ...push), "Push", "processed", elementCount);
    assertQueue(await pushing.ok(site.project, ...push), "Push", "skipped", elementCount);
    const puller = await site.machine("puller", artifactsAt(server, false));
    assertQueue(await puller.ok(site.project, "pull", "--deps", "all", "all.bst"), "Pull", "processed", elementCount);
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
  });

  test("two machines push the same build at once", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const machines = [await site.machine("left"), await site.machine("right")];
    for (const machine of machines) await machine.ok(site.project, "build", "all.bst");
    const pushing = await Promise.all(machines.map((machine) => machine.configured(artifactsAt(server, true))));
    const push = ["push", "--deps", "all", "all.bst"];
    for (const result of await Promise.all(pushing.map((machine) => machine.ok(site.project, ...push)))) {
      assertQueue(result, "Push", "failed", 0);
    }
    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--all", "all.bst"));
    // Each pushed its own build of an element; what came of it is the same.
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(machines[0] as never, site));
  });

  test("an artifact that has lost a blob is built again, and whole again", async () => {
    await using site = await openSite(version);
    const folder = await site.workspace.folder("store");
    const server = await site.serve([], folder);
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    await loseFile(folder, bigFileBytes);

    const healer = await site.machine("healer", artifactsAt(server, true));
    const healed = await healer.ok(site.project, "build", "--all", "all.bst");
    const { processed } = healed.queue("Build");
    assert.ok(processed > 0 && processed < elementCount, healed.stderr);
    assertQueue(healed, "Push", "failed", 0);
    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--all", "all.bst"));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
  });

  test("a full cache does not look like success", async () => {
    await using site = await openSite(version);
    const server = await site.serve(["--quota", "4MiB"]);
    const builder = await site.machine("builder", artifactsAt(server, true));
    const built = await builder.run(site.project, "--on-error", "continue", "build", "all.bst");
    assert.notEqual(built.status, 0);
    assertQueue(built, "Build", "processed", elementCount);
    assert.ok(built.queue("Push").failed > 0, built.stderr);
    const other = await site.machine("other", artifactsAt(server, false));
    await other.ok(site.project, "build", "--all", "all.bst");
    assert.deepEqual(await checkoutListing(other, site), await checkoutListing(builder, site));
  });

  test("BuildStream 2 uses the same cache at the same time", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const newer = await writeProject(await site.workspace.folder("newer"), "2.8.1");
    const old = await site.machine("old", artifactsAt(server, true));
    const young = await site.machine("young", bothAt(server, true), "2.8.1");
    const built = await Promise.all([old.ok(site.project, "build", "all.bst"), young.ok(newer, "build", "all.bst")]);
    for (const result of built) assertQueue(result, "Push", "processed", elementCount);
    const oldPuller = await site.machine("old-puller", artifactsAt(server, false));
    assertAllPulled(await oldPuller.ok(site.project, "build", "--all", "all.bst"));
    const youngPuller = await site.machine("young-puller", bothAt(server, false), "2.8.1");
    assertAllPulled(await youngPuller.ok(newer, "build", "--deps", "all", "all.bst"));
  });
}
