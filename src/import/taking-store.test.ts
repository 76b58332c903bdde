import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { blobStoreContract, read } from "../store/blob-store.contract.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { casPlace } from "./blob-place.ts";
import { Intake } from "./intake.ts";
import { OldBlobs } from "./old-blobs.ts";
import { numberedBlob, OldFolder } from "./old-cache.fixture.ts";
import { Outcome } from "./outcome.ts";
import { TakingStore } from "./taking-store.ts";

function taking(old: OldFolder, own: MemoryStore, dryRun = false) {
  const { signal } = new AbortController();
  const blobs = new OldBlobs([casPlace(old.path)]);
  const outcome = new Outcome([], []);
  const intake = new Intake({ own, old: blobs, outcome, mayLink: undefined, dryRun, signal });
  return { store: new TakingStore(own, intake, dryRun), intake, outcome };
}

// Where there is nothing to take, it is a store as any other.
blobStoreContract("taking from nothing", async (options) => {
  const old = new OldFolder();
  const own = new MemoryStore(options);
  return {
    store: taking(old, own).store,
    admin: own,
    remove: (digest) => own.remove(digest),
    [Symbol.asyncDispose]: async () => old[Symbol.dispose](),
  };
});

const small = numberedBlob(1, 3000);
const large = numberedBlob(2, 1_200_000);
const absent = numberedBlob(3, 50);

for (const way of ["missing", "open", "readBatch"] as const) {
  test(`what the old server has is there for ${way}, and in the store from then on`, async () => {
    using old = new OldFolder();
    const own = new MemoryStore();
    for (const { digest, bytes } of [small, large]) await old.put(digest, bytes);
    const { store, intake, outcome } = taking(old, own);
    const digests = new DigestList(sha256);
    for (const { digest } of [small, absent, large, small]) digests.push(digest);
    digests.push(emptyDigest(sha256));
    if (way === "missing") assert.deepEqual(await store.missing(digests), [1]);
    if (way === "readBatch") assert.deepEqual((await store.readBatch(digests)).missing, [1]);
    if (way === "open") {
      for (const { digest, bytes } of [small, large]) {
        assert.equal(Buffer.compare(await read(store, digest), bytes), 0);
      }
      assert.equal(await store.open(absent.digest), undefined);
    }
    await intake.settled();
    assert.deepEqual(own.missing(digests), [1]);
    assert.deepEqual([outcome.blobs.taken, outcome.blobs.takenBytes], [2, 1_203_000]);
  });
}

test("a dry run reads and keeps nothing", async () => {
  using old = new OldFolder();
  const own = new MemoryStore();
  for (const { digest, bytes } of [small, large]) await old.put(digest, bytes);
  const { store } = taking(old, own, true);
  for (const { digest, bytes } of [small, large]) {
    assert.deepEqual(await store.missing(DigestList.of(digest)), []);
    assert.equal(Buffer.compare(await read(store, digest), bytes), 0);
  }
  assert.equal(own.usage().blobs, 0);
});
