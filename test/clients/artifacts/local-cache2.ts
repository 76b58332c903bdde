import assert from "node:assert/strict";
import { readdir, truncate, unlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { openArtifactTar } from "../../../src/client/local/open-artifact-tar.ts";
import { openLocalCache } from "../../../src/client/local/open-local-cache.ts";
import { artifactLog, assertQueue, checkoutListing, removeUpstream, showAll } from "../bst2/inspect.ts";
import type { BstClient } from "../support/bst.ts";
import { artifactsOf, copyAll, unpackedMachine } from "../support/copying.ts";
import { runOk } from "../support/program.ts";
import { elementCount } from "../support/project.ts";
import { openSite } from "../support/site.ts";

const { signal } = new AbortController();

/** Names of refs, as both have them on the disk. */
async function refsOf({ cache }: BstClient): Promise<string[]> {
  const root = join(cache, "artifacts/refs");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

/** Whether the real program has an artifact, by what it says of it. */
async function isCached(machine: BstClient, site: Awaited<ReturnType<typeof openSite>>, element: string) {
  const { stdout, stderr } = await machine.ok(site.project, "artifact", "show", element);
  const [, state] = /^\s*(cached|not cached|available|unavailable|failed)\b/m.exec(stdout) ?? [];
  assert.ok(state, stdout + stderr);
  return state === "cached";
}

export function testLocalCache2(version: string): void {
  test(`what bst ${version} built we list and read, and what we wrote it has`, async () => {
    await using site = await openSite(version);
    const builder = await site.machine("builder");
    await builder.ok(site.project, "build", "all.bst");
    await removeUpstream(site);
    const [built, log] = [await showAll(builder, site), await artifactLog(builder, site, "app.bst")];
    const listing = await checkoutListing(builder, site);

    const from = await openLocalCache(builder.cache);
    const artifacts = await artifactsOf(from);
    assert.equal(artifacts.length, elementCount);
    for (const line of built) {
      const [name = "", key] = line.split(" ");
      const found = artifacts.find(({ keys }) => keys.includes(key as string));
      assert.equal(found?.project, "harbour", name);
      assert.equal(found?.generation, "2.x");
      assert.equal(found?.keys[0], key, "the strong key is the first");
    }

    const taker = await site.machine("taker");
    const to = await openLocalCache(taker.cache);
    assert.notEqual(await copyAll(from, to), 0);
    assert.equal(await copyAll(from, to), 0);
    assert.deepEqual(await showAll(taker, site), built);
    assert.deepEqual(await checkoutListing(taker, site), listing);
    assert.equal(await artifactLog(taker, site, "app.bst"), log);
    assertQueue(await taker.ok(site.project, "build", "all.bst"), "Build", "processed", 0);
    assert.deepEqual(await refsOf(taker), await refsOf(builder));

    const { machine: third, file } = await unpackedMachine(site, to);

    // Deleted is deleted, for both, in the same way.
    const keyIn = (element: string): string =>
      built.find((line) => line.startsWith(`${element} `))?.split(" ")[1] ?? "";
    const key = keyIn("app.bst");
    await builder.ok(site.project, "artifact", "delete", "app.bst", `harbour/lib/${keyIn("lib.bst")}`);
    for (const element of ["app", "lib"]) {
      const deleted = (await artifactsOf(to)).find((each) => each.element === element);
      assert.ok(deleted);
      await to.remove(deleted);
    }
    assert.deepEqual(await refsOf(taker), await refsOf(builder));
    assert.equal(await isCached(taker, site, "app.bst"), false);
    assert.equal(await from.index.find({ project: "harbour", element: "app", keys: [key] }, signal), undefined);

    // A lost object is lost for both, a damaged one for us; what comes heals both.
    const whole = await openLocalCache(third.cache);
    const found = await whole.index.find({ project: "harbour", element: "app", keys: [key] }, signal);
    assert.ok(found);
    const archive = await openArtifactTar(file, "read");
    const largest = await largestObject(third.cache);
    await unlink(largest);
    assert.equal(await isCached(third, site, "data/big.bst"), false);
    assert.equal(await copyAll(archive, whole), 1);
    assert.equal(await isCached(third, site, "data/big.bst"), true);
    await runOk("chmod", ["u+w", largest]);
    await truncate(largest, 1000);
    assert.equal(await copyAll(archive, whole), 1);
    assert.deepEqual(await checkoutListing(third, site), listing);
    await archive[Symbol.asyncDispose]();
  });

  test(`bst ${version} builds in a cache while we write to it`, async () => {
    await using site = await openSite(version);
    const builder = await site.machine("builder");
    await builder.ok(site.project, "build", "all.bst");
    const other = await site.machine("other");
    const [from, to] = [await openLocalCache(builder.cache), await openLocalCache(other.cache)];
    let isBuilding = true;
    const building = other.ok(site.project, "build", "all.bst").finally(() => {
      isBuilding = false;
    });
    for (let rounds = 0; isBuilding || rounds === 0; rounds++) await copyAll(from, to);
    await building;
    await removeUpstream(site);
    assert.deepEqual(await showAll(other, site), await showAll(builder, site));
    assert.deepEqual(await checkoutListing(other, site), await checkoutListing(builder, site));
    await to[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(join(other.cache, "cas/stillage")), []);
  });
}

async function largestObject(cache: string): Promise<string> {
  const found = await runOk("find", [join(cache, "cas/objects"), "-type", "f", "-size", "+4000k"]);
  return found.trim().split("\n")[0] as string;
}
