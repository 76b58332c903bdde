import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bigFileBytes, elementCount } from "../support/project.ts";
import { artifactsAt, bothAt, openSite } from "../support/site.ts";
import { loseFile } from "../support/store.ts";
import {
  artifactListing,
  artifactLog,
  assertAllPulled,
  assertQueue,
  checkoutListing,
  keyOf,
  removeUpstream,
  showAll,
} from "./inspect.ts";

/** Builds that are pushed, and what other machines do with them. */
export function testBuilds(version: string): void {
  test("what one machine builds and pushes, another pulls and does not build", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", bothAt(server, true));
    const built = await builder.ok(site.project, "build", "all.bst");
    assertQueue(built, "Build", "processed", elementCount);
    assertQueue(built, "Push", "processed", elementCount);
    assertQueue(built, "Push", "failed", 0);
    await removeUpstream(site);

    const puller = await site.machine("puller", bothAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
    assert.deepEqual(await showAll(puller, site), await showAll(builder, site));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));

    const alone = await site.machine("alone");
    assert.notEqual((await alone.run(site.project, "build", "all.bst")).status, 0, "built without server and upstream");
  });

  test("after a change only what depends on it is built", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    await appendFile(join(site.project.folder, "files/lib/crane.txt"), "lifts 90 t\n");

    const other = await site.machine("other", artifactsAt(server, true));
    const rebuilt = await other.ok(site.project, "build", "--deps", "all", "all.bst");
    // lib, app, report, runtime and all.
    assertQueue(rebuilt, "Build", "processed", 5);
    assertQueue(rebuilt, "Pull", "processed", elementCount - 5);
    assertQueue(rebuilt, "Push", "processed", 5);
    const listing = await checkoutListing(other, site);
    const third = await site.machine("third", artifactsAt(server, false));
    assertAllPulled(await third.ok(site.project, "build", "--deps", "all", "all.bst"));
    assert.deepEqual(await checkoutListing(third, site), listing);
  });

  test("a restarted server still has everything", async () => {
    await using site = await openSite(version);
    const folder = await site.workspace.folder("kept-store");
    const server = await site.serve([], folder);
    const builder = await site.machine("builder", bothAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    assert.equal(await server.stop(), 0, server.log());
    await removeUpstream(site);

    const again = await site.serve([], folder);
    const puller = await site.machine("puller", bothAt(again, false));
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
    // The builder would look for the server at its old address.
    const offline = await builder.configured({});
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(offline, site));
  });

  test("an artifact that has lost a blob is built again, and whole again", async () => {
    await using site = await openSite(version);
    const folder = await site.workspace.folder("store");
    const server = await site.serve([], folder);
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    await loseFile(folder, bigFileBytes);

    // The loss shows when somebody asks for the blob: the big file's element is built, the rest is pulled.
    const healer = await site.machine("healer", artifactsAt(server, true));
    const healed = await healer.ok(site.project, "build", "--deps", "all", "all.bst");
    const { processed } = healed.queue("Build");
    assert.ok(processed > 0 && processed < elementCount, healed.stderr);
    assertQueue(healed, "Push", "processed", processed);
    assertQueue(healed, "Push", "failed", 0);

    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
  });

  test("two machines push the same build at once", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const left = await site.machine("left");
    const right = await site.machine("right");
    await Promise.all([left.ok(site.project, "build", "all.bst"), right.ok(site.project, "build", "all.bst")]);
    const push = ["artifact", "push", "--deps", "all", "all.bst"];
    const pushing = await Promise.all([
      left.configured(artifactsAt(server, true)),
      right.configured(artifactsAt(server, true)),
    ]);
    const pushes = await Promise.all(pushing.map((machine) => machine.ok(site.project, ...push)));
    for (const result of pushes) assertQueue(result, "Push", "failed", 0);
    const puller = await site.machine("puller", artifactsAt(server, false));
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
    assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(left, site));
  });
}

/** The `bst artifact` commands against a server. */
export function testArtifactCommands(version: string): void {
  test("artifact push sends once, and a rebuilt artifact replaces the pushed one", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    const offline = await builder.configured({});
    await offline.ok(site.project, "build", "all.bst");
    const push = ["artifact", "push", "--deps", "all", "all.bst"];
    assertQueue(await builder.ok(site.project, ...push), "Push", "processed", elementCount);
    assertQueue(await builder.ok(site.project, ...push), "Push", "skipped", elementCount);

    const firstLog = await artifactLog(offline, site, "app.bst");
    await offline.ok(site.project, "artifact", "delete", "app.bst");
    assertQueue(await offline.ok(site.project, "build", "app.bst"), "Build", "processed", 1);
    const secondLog = await artifactLog(offline, site, "app.bst");
    assert.notEqual(secondLog, firstLog);
    assertQueue(await builder.ok(site.project, "artifact", "push", "app.bst"), "Push", "processed", 1);
    const puller = await site.machine("puller", artifactsAt(server, false));
    await puller.ok(site.project, "artifact", "pull", "app.bst");
    assert.equal(await artifactLog(puller, site, "app.bst"), secondLog);
  });

  test("artifact show, pull, list-contents, log, checkout and delete on a machine that built nothing", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    const machine = await site.machine("machine", artifactsAt(server, false));
    const show = ["artifact", "show", "--deps", "all", "all.bst"];
    const states = async () => {
      const { stdout } = await machine.ok(site.project, ...show);
      return stdout
        .trim()
        .split("\n")
        .map((line) => line.trim().replace(/ \S+$/, ""));
    };
    const everywhere = (state: string) => Array<string>(elementCount).fill(state);
    assert.deepEqual(await states(), everywhere("not cached"));
    await builder.ok(site.project, "build", "all.bst");
    assert.deepEqual(await states(), everywhere("available"));
    assertAllPulled(await machine.ok(site.project, "artifact", "pull", "--deps", "all", "all.bst"));
    assert.deepEqual(await states(), everywhere("cached"));

    const contents = ["artifact", "list-contents", "--long", "data/tree.bst", "data/big.bst", "runtime.bst"];
    const listed = (await machine.ok(site.project, ...contents)).stdout;
    assert.match(listed, /srv\/big\.bin/);
    assert.equal(listed, (await builder.ok(site.project, ...contents)).stdout);
    assert.equal(await artifactLog(machine, site, "app.bst"), await artifactLog(builder, site, "app.bst"));

    await machine.ok(site.project, "artifact", "delete", "app.bst");
    assert.equal((await states())[4], "available");
    const reference = `harbour/app/${await keyOf(builder, site, "app.bst")}`;
    const pulled = await machine.ok(site.project, "artifact", "pull", reference);
    assert.match(pulled.stderr, /Pulled artifact \w+ <- http/);
    assert.deepEqual(await artifactListing(machine, site, reference), await artifactListing(builder, site, reference));
  });

  test("pulling what was never pushed is a miss, not an error of the server", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const machine = await site.machine("machine", artifactsAt(server, false));
    const pulled = await machine.run(site.project, "artifact", "pull", "data/tree.bst");
    assertQueue(pulled, "Pull", "skipped", 1);
    assertQueue(pulled, "Pull", "failed", 0);
    assert.match(pulled.stderr, /does not have artifact/);
  });
}
