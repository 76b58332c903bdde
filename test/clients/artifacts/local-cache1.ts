import assert from "node:assert/strict";
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { contentOfDirectory } from "../../../src/artifact/directory-content.ts";
import { PlaceReader } from "../../../src/client/blob-reader.ts";
import { openLocalCache } from "../../../src/client/local/open-local-cache.ts";
import { checkoutListing, showAll } from "../bst1/inspect.ts";
import { assertQueue, removeUpstream } from "../bst2/inspect.ts";
import { artifactsOf, copyAll, unpackedMachine } from "../support/copying.ts";
import { elementCount } from "../support/project.ts";
import { openSite } from "../support/site.ts";

const { signal } = new AbortController();

export function testLocalCache1(version: string): void {
  test(`what bst ${version} built we list and read, and what we wrote it has`, async () => {
    await using site = await openSite(version);
    const builder = await site.machine("builder");
    await builder.ok(site.project, "build", "all.bst");
    await removeUpstream(site);
    const [built, listing] = [await showAll(builder, site), await checkoutListing(builder, site)];

    const from = await openLocalCache(builder.cache);
    const artifacts = await artifactsOf(from);
    assert.equal(artifacts.length, elementCount);
    for (const line of built) {
      const [name = "", key] = line.split(" ");
      const found = artifacts.find(({ keys }) => keys.includes(key as string));
      assert.ok(found, name);
      assert.deepEqual([found.project, found.generation], ["harbour", "1.x"]);
      const { keys } = await contentOfDirectory(new PlaceReader(from.blobs, signal), found.content);
      assert.equal(keys.strong, key);
    }

    const taker = await site.machine("taker");
    const to = await openLocalCache(taker.cache);
    assert.notEqual(await copyAll(from, to), 0);
    assert.equal(await copyAll(from, to), 0);
    assert.deepEqual(await showAll(taker, site), built);
    assert.deepEqual(await checkoutListing(taker, site), listing);
    assertQueue(await taker.ok(site.project, "build", "all.bst"), "Build", "processed", 0);

    const { machine: third } = await unpackedMachine(site, to);
    assert.deepEqual(await showAll(third, site), built);
    assert.deepEqual(await checkoutListing(third, site), listing);

    // By one of its keys alone, as servers are asked: the real program finds it by each.
    const one = artifacts.find(({ keys }) => keys.length === 2);
    assert.ok(one);
    assert.equal(await to.remove(one), 2);
    assert.notDeepEqual(await showAll(taker, site), built);
    const content = await contentOfDirectory(new PlaceReader(from.blobs, signal), one.content);
    const asked = { ...content, keys: { strong: undefined, weak: undefined, strict: undefined } };
    await to.index.publish({ ...one, keys: one.keys.slice(0, 1) }, asked, signal);
    assert.deepEqual((await artifactsOf(to)).find(({ element }) => element === one.element)?.keys, one.keys);
    assert.deepEqual(await showAll(taker, site), built);

    // What is lost comes back, and nothing else.
    const objects = join(taker.cache, "artifacts/cas/objects");
    const [first] = (await readdir(objects, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
    assert.ok(first);
    await unlink(join(first.parentPath, first.name));
    assert.equal(await copyAll(from, to), 1);
    await to[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(join(taker.cache, "artifacts/cas/stillage")), []);
  });
}
