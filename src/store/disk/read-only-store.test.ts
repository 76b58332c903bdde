import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, emptyDigest } from "../../base/digest.ts";
import { ostree, sha1, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { filezOfSize } from "../../base/filez.fixture.ts";
import { anyHashOf } from "../../base/hash.ts";
import { silentLog } from "../../base/log.ts";
import { BatchReadBlobsResponseSchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobReader } from "../blob-store.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";
import { checkReadable, ReadOnlyTenant } from "./read-only-store.ts";

let folder = "";
let stores = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "stillage-readonly-"));
});
after(() => rm(folder, { recursive: true }));

async function open(durability: "on" | "off" = "on"): Promise<{ store: DiskStore; path: string }> {
  const path = join(folder, `${stores++}`);
  return { store: await openDiskStore(path, { durability, clock: () => 1e12, log: silentLog }), path };
}

async function put(store: DiskStore, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(sha256, bytes);
  await store.tenant("a/b").put(digest, bytes);
  return digest;
}

async function contentOf(blobs: BlobReader, digest: Digest): Promise<string | undefined> {
  const blob = await blobs.open(digest);
  if (blob === undefined) return undefined;
  const bytes = new Uint8Array(digest.size);
  await blob.read(bytes, 0);
  blob.close();
  return anyHashOf(digest.function, bytes);
}

const noise = (size: number, seed: number): Uint8Array => Buffer.alloc(size, `${seed} `);

describe("ReadOnlyTenant", () => {
  for (const durability of ["on", "off"] as const) {
    it(`sees what a running store has acknowledged, durability ${durability}`, async () => {
      const { store, path } = await open(durability);
      // Without durability a large blob is in the journal only once it has had a sync.
      const large = durability === "on" ? [(1 << 20) + 1, 5 << 20] : [];
      const sizes = [1, 100, 70_000, 1 << 20, ...large];
      const digests = [];
      for (const [seed, size] of sizes.entries()) digests.push(await put(store, noise(size, seed)));
      const absent = digestOf(sha256, Buffer.from("absent"));
      const reader = new ReadOnlyTenant(checkReadable(path), "a/b");
      for (const digest of digests) {
        assert.equal(await contentOf(reader, digest), digest.hash);
        assert.equal(reader.sizeOf(sha256, digest.hash), digest.size);
      }
      assert.equal(await contentOf(reader, emptyDigest(sha256)), sha256.emptyHash);
      assert.equal(await contentOf(reader, absent), undefined);
      const list = new DigestList(sha256);
      for (const each of [absent, ...digests, emptyDigest(sha256)]) list.push(each);
      assert.deepEqual(reader.missing(list), [0]);
      const batch = reader.readBatch(list);
      assert.deepEqual(batch.missing, [0]);
      const { responses } = fromBinary(BatchReadBlobsResponseSchema, Buffer.concat(batch.parts));
      assert.deepEqual(
        responses.map((each) => digestOf(sha256, each.data).hash),
        [...digests, emptyDigest(sha256)].map(({ hash }) => hash),
      );
      assert.equal(reader.sizeOf(sha1, "0".repeat(40)), undefined);
      assert.deepEqual(new ReadOnlyTenant(path, "a").missing(list).length, digests.length + 1);
      await store.close();
      const later = new ReadOnlyTenant(path, "a/b");
      for (const digest of digests) assert.equal(await contentOf(later, digest), digest.hash);
    });
  }

  it("has file objects of OSTree, and no empty one", async () => {
    const { store, path } = await open();
    const made = [3000, 1_100_000].map(filezOfSize);
    const digests = made.map(({ hash, bytes }) => ({ function: ostree, hash, size: bytes.length }));
    for (const [i, { bytes }] of made.entries()) await store.tenant("a/b").put(digests[i] as Digest, bytes);
    const reader = new ReadOnlyTenant(checkReadable(path), "a/b");
    const nothing = { function: ostree, hash: "0".repeat(64), size: 0 };
    const list = new DigestList(ostree);
    for (const each of [nothing, ...digests]) list.push(each);
    assert.deepEqual(reader.missing(list), [0]);
    assert.deepEqual([...reader.sizesOf(list)], [-1, ...digests.map(({ size }) => size)]);
    assert.equal(await reader.open(nothing), undefined);
    for (const digest of digests) assert.equal(await contentOf(reader, digest), digest.hash);
    await store.close();
  });

  it("does not see what was removed, and misses what is removed meanwhile", async () => {
    const { store, path } = await open();
    const [small, large] = [await put(store, noise(500, 1)), await put(store, noise(2 << 20, 2))];
    const [kept, last] = [await put(store, noise(600, 3)), await put(store, noise(2 << 20, 4))];
    await store.tenant("a/b").remove(small);
    await store.tenant("a/b").remove(large);
    const reader = new ReadOnlyTenant(path, "a/b");
    assert.equal(await contentOf(reader, large), undefined);
    assert.equal(await contentOf(reader, kept), kept.hash);
    await store.tenant("a/b").remove(last);
    assert.equal(await contentOf(reader, last), undefined);
    await store.close();
    const later = new ReadOnlyTenant(path, "a/b");
    for (const gone of [small, large, last]) assert.equal(await contentOf(later, gone), undefined);
    assert.equal(await contentOf(later, kept), kept.hash);
  });

  it("looks up again what is elsewhere now", async () => {
    const { store, path } = await open();
    const bytes = noise(2 << 20, 9);
    const large = await put(store, bytes);
    const reader = new ReadOnlyTenant(path, "a/b");
    assert.equal(await contentOf(reader, large), large.hash);
    await store.tenant("a/b").remove(large);
    await put(store, bytes);
    assert.equal(await contentOf(reader, large), large.hash);
    await store.tenant("a/b").remove(large);
    assert.equal(await contentOf(reader, large), undefined);
    await store.close();
  });

  it("does not see what comes later, and finds it when it looks anew", async () => {
    const { store, path } = await open();
    await put(store, noise(10, 1));
    const reader = new ReadOnlyTenant(path, "a/b");
    assert.equal(reader.sizeOf(sha256, "0".repeat(64)), undefined); // it has looked
    const later = await put(store, noise(20, 2));
    assert.equal(await contentOf(reader, later), undefined);
    assert.equal(await contentOf(new ReadOnlyTenant(path, "a/b"), later), later.hash);
    await store.close();
  });

  it("changes nothing, and needs a store", async () => {
    assert.throws(() => checkReadable(join(folder, "absent")), {
      code: "failed-precondition",
      message: /is not a store/,
    });
    assert.throws(() => checkReadable(folder), { code: "failed-precondition", message: /is not a store/ });
    const { store, path } = await open();
    await store.close();
    assert.equal(new ReadOnlyTenant(checkReadable(path), "a/b").sizeOf(sha256, "0".repeat(64)), undefined);
  });
});
