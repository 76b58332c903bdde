import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Digest, digestOf, emptyDigest } from "../base/digest.ts";
import { blake3, sha256, sha512 } from "../base/digest-function.ts";
import type { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { chunking } from "./chunking.ts";
import { chunkSizes, FastCdc } from "./fast-cdc.ts";
import { readMessage } from "./read-message.ts";
import { maxSplits, Splits } from "./split.ts";
import { memoryTenant } from "./tenant.fixture.ts";

const { signal } = new AbortController();
const bytesOf = (length: number, seed = ""): Buffer =>
  createHash("shake128", { outputLength: length }).update(seed).digest();
const valuesOf = (list: DigestList): Digest[] => Array.from({ length: list.length }, (_, i) => list.at(i));

/** A tenant whose store counts what it opens. */
function setUp() {
  const opened: string[] = [];
  const blobs = new (class extends MemoryStore {
    override open(digest: Digest) {
      opened.push(digest.hash);
      return super.open(digest);
    }
  })();
  return { tenant: { ...memoryTenant(""), blobs }, blobs, opened, splits: new Splits(new ChunkLists()) };
}

async function put(blobs: MemoryStore, bytes: Buffer, fn = sha256): Promise<Digest> {
  const digest = digestOf(fn, bytes);
  await blobs.put(digest, bytes);
  return digest;
}

describe("Splits", () => {
  // Below a chunk, at its limits, one window, several, and with a last chunk that begins in the window before.
  for (const size of [1, chunking.min, chunking.min + 1, 2 << 20, 8 << 20, (8 << 20) + 1, 21_000_001]) {
    it(`stores the chunks of a blob of ${size} bytes`, async () => {
      const { tenant, blobs, splits } = setUp();
      const bytes = bytesOf(size);
      const chunks = valuesOf(await splits.chunksOf(tenant, await put(blobs, bytes), signal));
      const cdc = new FastCdc(chunkSizes(512 << 10));
      let at = 0;
      for (const chunk of chunks) {
        const end = cdc.cut(bytes, at, bytes.length);
        assert.deepEqual(chunk, digestOf(sha256, bytes.subarray(at, end)));
        assert.deepEqual(Buffer.from((await readMessage(blobs, chunk)) ?? []), bytes.subarray(at, end));
        at = end;
      }
      assert.equal(at, size);
    });
  }

  it("makes chunks of the blob's function", async () => {
    const { tenant, blobs, splits } = setUp();
    for (const fn of [blake3, sha512]) {
      const list = await splits.chunksOf(tenant, await put(blobs, bytesOf(3 << 20), fn), signal);
      assert.ok(list.length > 1 && list.function === fn);
      assert.deepEqual(blobs.missing(list), []);
    }
  });

  it("has no chunks for the empty blob", async () => {
    const { tenant, splits } = setUp();
    assert.equal((await splits.chunksOf(tenant, emptyDigest(sha256), signal)).length, 0);
  });

  it("reads a blob once, for many who ask at the same time and for those who come later", async () => {
    const { tenant, blobs, opened, splits } = setUp();
    const digest = await put(blobs, bytesOf(5 << 20));
    const asked = await Promise.all(Array.from({ length: 20 }, () => splits.chunksOf(tenant, digest, signal)));
    const lists = [...asked, await splits.chunksOf(tenant, digest, signal)].map(valuesOf);
    for (const list of lists) assert.deepEqual(list, lists[0]);
    assert.deepEqual(opened, [digest.hash]);
  });

  it("cuts again where a chunk is gone, and says so where the blob is", async () => {
    const { tenant, blobs, opened, splits } = setUp();
    const digest = await put(blobs, bytesOf(5 << 20));
    const before = valuesOf(await splits.chunksOf(tenant, digest, signal));
    await blobs.remove(before[1] as Digest);
    const list = await splits.chunksOf(tenant, digest, signal);
    assert.deepEqual(valuesOf(list), before);
    assert.deepEqual(blobs.missing(list), []);
    assert.equal(opened.length, 2);
    await blobs.remove(digest);
    await assert.rejects(splits.chunksOf(tenant, digest, signal), { code: "not-found" });
  });

  it("forgets nothing but what it was doing where there is no room, and says what the store says", async () => {
    const { splits } = setUp();
    const blobs = new MemoryStore({ quota: 9 << 20 });
    const tenant = { ...memoryTenant(""), blobs };
    const digest = await put(blobs, bytesOf(5 << 20));
    await assert.rejects(splits.chunksOf(tenant, digest, signal), { code: "exhausted" });
    await assert.rejects(splits.chunksOf(tenant, digest, signal), { code: "exhausted" });
    const small = await put(blobs, bytesOf(1000));
    assert.equal((await splits.chunksOf(tenant, small, signal)).length, 1);
  });

  it("gives no list for bytes that are no longer the blob's", async () => {
    const { tenant, splits } = setUp();
    const bytes = bytesOf(3 << 20);
    const digest = digestOf(sha256, bytes);
    bytes[2_000_000] = (bytes[2_000_000] as number) ^ 1;
    const read = (into: Uint8Array, at: number): void => void bytes.copy(into, 0, at, at + into.length);
    const blobs: MemoryStore = Object.assign(new MemoryStore(), {
      open: () => ({ digest, read, close: () => {} }),
    });
    blobs.missing = () => [];
    await assert.rejects(splits.chunksOf({ ...tenant, blobs }, digest, signal), { code: "corrupt" });
    await assert.rejects(splits.chunksOf({ ...tenant, blobs }, digest, signal), { code: "corrupt" });
  });

  it("refuses a blob with more chunks than a message names, before it reads it", async () => {
    const { tenant, splits, opened, blobs } = setUp();
    blobs.missing = () => [];
    const digest = { ...digestOf(sha256, bytesOf(10)), size: 1e12 };
    await assert.rejects(splits.chunksOf(tenant, digest, signal), { code: "not-found", message: /more chunks/ });
    assert.deepEqual(opened, []);
  });

  it("has places for others while many wait for one blob", async () => {
    const { tenant, splits, blobs } = setUp();
    const [slow, quick] = [await put(blobs, bytesOf(3 << 20, "slow")), await put(blobs, bytesOf(3 << 20, "quick"))];
    const { promise: opening, resolve: goOn } = Promise.withResolvers<void>();
    const open = blobs.open.bind(blobs);
    const slowly = Object.assign(Object.create(blobs), {
      open: (digest: Digest) => (digest === slow ? opening.then(() => open(digest)) : open(digest)),
    });
    const waiting = Array.from({ length: maxSplits + 3 }, () =>
      splits.chunksOf({ ...tenant, blobs: slowly }, slow, signal),
    );
    assert.ok((await splits.chunksOf({ ...tenant, blobs: slowly }, quick, signal)).length > 1);
    goOn();
    for (const list of await Promise.all(waiting)) assert.ok(list.length > 1);
  });

  it("goes on for who is still there", async () => {
    const { tenant, splits, blobs, opened } = setUp();
    const digests = await Promise.all(
      Array.from({ length: maxSplits + 1 }, (_, i) => put(blobs, bytesOf(3 << 20, `${i}`))),
    );
    const last = digests.at(-1) as Digest;
    const leaving = new AbortController();
    const ahead = digests.slice(0, -1).map((digest) => splits.chunksOf(tenant, digest, signal));
    const left = splits.chunksOf(tenant, last, leaving.signal);
    const stayed = splits.chunksOf(tenant, last, signal);
    leaving.abort(new StillageError("cancelled", "gone"));
    await Promise.all([...ahead, left]);
    assert.ok((await stayed).length > 1);
    assert.equal(opened.filter((hash) => hash === last.hash).length, 1);
  });

  it("does not begin for who has gone", async () => {
    const { tenant, blobs, opened, splits } = setUp();
    const digest = await put(blobs, bytesOf(3 << 20));
    const gone = AbortSignal.abort(new StillageError("cancelled", "gone"));
    await assert.rejects(splits.chunksOf(tenant, digest, gone), { code: "cancelled" });
    assert.deepEqual(opened, []);
    assert.ok((await splits.chunksOf(tenant, digest, signal)).length > 1);
  });
});
