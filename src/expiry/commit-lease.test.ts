import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../base/log.ts";
import { Closure } from "../cache/closure.ts";
import { commitRef, putCommit } from "../cache/commit.fixture.ts";
import { CommitIndex } from "../cache/commit-index.ts";
import { hour, World } from "./world.fixture.ts";

for (const [title, pulled] of [
  ["what a client pulls stays for the lease when its ref gets another commit", true],
  ["what no client pulls goes at once", false],
] as const) {
  test(title, async (t) => {
    const world = new World();
    const { blobs, refs } = world;
    const closure = new Closure(blobs, () => blobs.removals(), { monotonic: () => world.now });
    const parts = { instance: "", refs, blobs, closure, quiet: closure, damage: () => 0, log: silentLog };
    const index = new CommitIndex(parts);
    t.after(() => index.close());
    const [old, next] = [await putCommit(blobs, { a: "1", b: "2" }, 1), await putCommit(blobs, { a: "3" }, 2)];
    await refs.put([{ ...commitRef("p/e/1", old), stored: world.now }]);
    const all = world.census().length;
    world.now += 10 * hour;
    if (pulled) assert.equal(await index.pull(old.checksum), old.size);
    await refs.put([{ ...commitRef("p/e/1", next), stored: world.now }]);
    await world.sweep({}, 0);
    // The commit, its directory and two files; the directory's meta is of both.
    assert.equal(world.census().length, pulled ? all : all - 4);
    assert.equal(await index.pull(old.checksum), pulled ? old.size : undefined);
    if (!pulled) return;
    world.now += 5 * hour;
    await world.sweep({}, 0);
    assert.equal(await index.pull(old.checksum), undefined);
  });
}
