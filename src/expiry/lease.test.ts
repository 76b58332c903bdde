import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { inlineNothing } from "../cache/action-inline.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { hour, World } from "./world.fixture.ts";

describe("the lease", () => {
  it("is that of all that was promised with a ref, also where the ref leads to something else by then", async () => {
    const world = new World();
    await world.pushResult("key", "old");
    const action = digestOf(sha256, Buffer.from("key"));
    world.now += hour;
    assert.ok(await world.actions.get(action, inlineNothing));
    world.now += 3.5 * hour;
    assert.ok(await world.actions.get(action, inlineNothing));
    await world.pushResult("key", "new");
    world.now += hour;
    await world.sweep({}, 0);
    const parts = ["out", "in tree", "in directory", "printed"].map((part) => `old ${part}`);
    assert.deepEqual(
      parts.filter((part) => !world.has(part)),
      [],
    );
    world.now += 4 * hour;
    await world.sweep({}, 0);
    assert.deepEqual(
      parts.filter((part) => world.has(part)),
      [],
    );
  });

  it("does not run while no server has the store, also where the next one is asked at once", async () => {
    const world = new World();
    await world.pushResult("one", "one");
    await world.pushResult("other", "other");
    world.now += 100 * hour;
    world.restart();
    world.now += 300;
    const action = digestOf(sha256, Buffer.from("one"));
    assert.ok(await world.actions.get(action, inlineNothing));
    world.now += 3 * hour;
    await world.sweep({}, 0);
    assert.deepEqual([world.has("one out"), world.has("other out"), world.list().length], [true, true, 2]);
    world.now += hour;
    await world.sweep({}, 0);
    assert.deepEqual([world.has("one out"), world.has("other out"), world.list().length], [true, false, 1]);
  });

  it("is that of what is used while others are being removed, whatever clock has noted its use before", async () => {
    const world = new World();
    const right = world.now;
    world.now += 10_000 * hour;
    const [, other] = [await putBlob(world.blobs, "one"), await putBlob(world.blobs, "other")];
    world.now = right;
    world.restart();
    world.now += 10 * hour;
    const { blobs } = world;
    const remove = blobs.remove.bind(blobs);
    blobs.remove = async (digest) => {
      blobs.missing(DigestList.of(other));
      await remove(digest);
    };
    await world.sweep({}, 0);
    assert.deepEqual([world.has("one"), world.has("other")], [false, true]);
  });
});
