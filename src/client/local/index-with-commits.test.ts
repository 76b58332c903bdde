import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "../../artifact/artifact.fixture.ts";
import { sha256 } from "../../base/digest-function.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import { commitFiles, Folders } from "../../ostree/archive/repository.fixture.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { ObjectBlobs } from "../ostree/object-blobs.ts";
import { artifact, contentOf, listed, signal } from "./local-place.fixture.ts";
import { openLocalCache } from "./open-local-cache.ts";

test("artifacts of BuildStream 1.0 are found beside the others, and removed like them", async () => {
  await using folders = new Folders();
  const repository = await folders.repository();
  const hash = await commitFiles(repository, `os/first/${keyOf("1")}`, { files: { a: "a" } });
  const size = (await repository.readMetadata(hash, "commit"))?.length ?? 0;
  const content = { function: sha256, hash, size };
  const keys = [keyOf("1"), keyOf("2")];
  const first: IndexedArtifact = {
    project: "os",
    element: "first",
    keys,
    generation: "1.0",
    content,
    message: undefined,
  };

  await using cache = await openLocalCache(await folders.fresh());
  const objects = directorySource(repository.directory);
  const source = { objects, blobs: new ObjectBlobs(objects), repository: undefined };
  assert.equal(await cache.commits.take?.(first, source, { signal }), "published");
  const second = await artifact();
  await cache.index.publish(second, contentOf(second), signal);
  assert.deepEqual(await listed(cache, "*", "*", ""), ["os/app 12 2.x", "os/first 12 1.0"]);

  const question = { project: "os", element: "first", keys: [keyOf("2")] };
  assert.deepEqual((await cache.index.find(question, signal))?.content, content);
  assert.deepEqual((await cache.index.find({ ...question, generation: "1.0" }, signal))?.content, content);
  assert.equal(await cache.index.find({ ...question, generation: "1.x" }, signal), undefined);
  assert.equal(await cache.index.find({ ...question, element: "app", generation: "1.0" }, signal), undefined);
  await assert.rejects(cache.index.publish(first, contentOf(second), signal), { code: "unsupported" });
  assert.deepEqual([await cache.remove(first), await cache.remove(first)], [2, 0]);
  assert.deepEqual(await listed(cache, "*", "*", ""), ["os/app 12 2.x"]);
});
