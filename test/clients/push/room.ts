import assert from "node:assert/strict";
import { test } from "node:test";
import { fsck } from "../support/store.ts";
import { openPushSite, push, receiver } from "./push-site.ts";
import { artifactRef, Repository } from "./repository.ts";

/** What becomes of artifacts where there is no room for all. */
export function testRoom(): void {
  test("a store that is full says so, before the objects where it can", async () => {
    await using site = await openPushSite({ serve: ["--quota", "8MiB"] });
    const source = await Repository.create(site.workspace);
    const [first, second] = [artifactRef("large", "1"), artifactRef("small", "1")];
    await source.commitNew(10, 12_000_000, first);
    await source.commitNew(10, 0, second);
    const large = await push(site.ssh(), source.path, [first]);
    assert.deepEqual([large.status?.result, large.done, large.exit], [true, false, 1]);
    assert.match(large.stderr, /the store is full: /);
    assert.equal((await push(site.ssh(), source.path, [second])).done, true);
    // Everything is in use: its lease is hours long.
    const filler = artifactRef("filler", "1");
    for (const bytes of [5_000_000, 900_000, 900_000, 900_000]) {
      await source.commitNew(0, bytes, filler);
      await push(site.ssh(), source.path, [filler]);
    }
    const refused = await push(site.ssh(), source.path, [filler]);
    assert.deepEqual([refused.status?.result, refused.done, refused.exit], [false, undefined, 1]);
    assert.match(refused.status?.message ?? "", /the store is full: .*; raise the quota/);
  });

  test("beyond the quota the oldest artifacts go as a whole, and what is pulled stays", async () => {
    await using site = await openPushSite({ serve: ["--quota", "24MiB", "--lease", "1s"] });
    const source = await Repository.create(site.workspace);
    const command = receiver(site.pullUrl, site.store).split(" ");
    const puller = await Repository.create(site.workspace, "puller");
    const rounds = 8;
    const refs = Array.from({ length: rounds }, (_, i) => {
      const digit = i.toString(16);
      return [artifactRef("strong", digit), artifactRef("weak", digit)] as const;
    });
    const kept = refs[0]?.[0] as string;
    for (const pair of refs) {
      await source.commitNew(30, 4_500_000, ...pair);
      const { done, stderr } = await push(command, source.path, pair);
      assert.deepEqual([done, stderr], [true, ""]);
      const user = await Repository.create(site.workspace, "user");
      await user.pull(site.pullUrl, kept);
    }
    const listed = await puller.remoteRefs(site.pullUrl);
    assert.ok(listed.includes(kept), "what somebody pulled again and again has stayed");
    assert.ok(listed.includes(refs.at(-1)?.[0] ?? ""), "what came last is there");
    const gone = refs.filter(([strong]) => !listed.includes(strong));
    assert.ok(gone.length >= 2, `${gone.length} artifacts have gone`);
    assert.deepEqual(gone, refs.slice(1, 1 + gone.length), "the oldest of the others");
    await puller.pull(site.pullUrl, ...listed);
    await site.server.stop();
    await fsck(site.store);
  });
}
