import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Digest, digestOf, emptyDigest } from "../base/digest.ts";
import { blake3, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { chunkSizes, FastCdc } from "./fast-cdc.ts";
import { readMessage } from "./read-message.ts";
import { type SpliceOrder, Splices } from "./splice.ts";
import { memoryTenant } from "./tenant.fixture.ts";

const { signal } = new AbortController();

/** Chunks of these sizes, stored, and the blob that they are. */
async function order(
  blobs: MemoryStore,
  sizes: readonly number[],
  fn = sha256,
): Promise<SpliceOrder & { whole: Buffer }> {
  const chunks = new DigestList(fn);
  const parts: Buffer[] = [];
  for (const [i, size] of sizes.entries()) {
    const part = createHash("shake128", { outputLength: size }).update(`${i}`).digest();
    const digest = digestOf(fn, part);
    await blobs.put(digest, part);
    chunks.push(digest);
    parts.push(part);
  }
  const whole = Buffer.concat(parts);
  return { blob: digestOf(fn, whole), chunks, cutByFastCdc: true, whole };
}

function setUp(quota?: number) {
  const blobs = new MemoryStore(quota === undefined ? {} : { quota });
  const lists = new ChunkLists();
  return { blobs, tenant: { ...memoryTenant(""), blobs }, lists, splices: new Splices(lists) };
}

const isThere = (blobs: MemoryStore, digest: Digest): boolean => blobs.missing(DigestList.of(digest)).length === 0;

describe("Splices", () => {
  for (const sizes of [
    [1, 1],
    [5, 0, 7],
    [3_000_000, 1, 1 << 20, 2 << 20],
    Array.from({ length: 500 }, (_, i) => i + 1),
  ]) {
    it(`puts together ${sizes.length} chunks, the first of ${sizes[0]} bytes`, async () => {
      const { blobs, tenant, splices } = setUp();
      for (const fn of [sha256, blake3]) {
        const { whole, ...wanted } = await order(blobs, sizes, fn);
        await splices.store(tenant, wanted, signal);
        assert.deepEqual(Buffer.from((await readMessage(blobs, wanted.blob)) ?? []), whole);
      }
    });
  }

  it("makes nothing of nothing", async () => {
    const { tenant, splices } = setUp();
    const nothing = { blob: emptyDigest(sha256), chunks: new DigestList(sha256), cutByFastCdc: false };
    await splices.store(tenant, nothing, signal);
    const something = { ...nothing, blob: digestOf(sha256, Buffer.from("x")) };
    await assert.rejects(splices.store(tenant, something, signal), { code: "invalid" });
  });

  it("refuses chunks that are not the blob, and stores nothing", async () => {
    const { blobs, tenant, splices, lists } = setUp();
    const wanted = await order(blobs, [3000, 3000]);
    const turned = new DigestList(sha256);
    turned.append(wanted.chunks, 1);
    turned.append(wanted.chunks, 0);
    const { bytes } = blobs.usage();
    await assert.rejects(splices.store(tenant, { ...wanted, chunks: turned }, signal), { code: "invalid" });
    const half = DigestList.of(wanted.chunks.at(0));
    await assert.rejects(splices.store(tenant, { ...wanted, chunks: half }, signal), { code: "invalid" });
    assert.ok(!isThere(blobs, wanted.blob) && blobs.usage().bytes === bytes);
    assert.equal(lists.get(tenant, wanted.blob), undefined);
  });

  it("names the first chunk that is not there, unless the blob is", async () => {
    const { blobs, tenant, splices } = setUp();
    const wanted = await order(blobs, [10, 20, 30]);
    const gone = wanted.chunks.at(1);
    await blobs.remove(gone);
    await assert.rejects(splices.store(tenant, wanted, signal), { code: "not-found", message: new RegExp(gone.hash) });
    await blobs.put(wanted.blob, wanted.whole);
    await splices.store(tenant, wanted, signal);
  });

  it("gives up what it has begun where a chunk goes away, and where there is no room", async () => {
    const { blobs, tenant, splices } = setUp(10_000);
    const wanted = await order(blobs, [2000, 2000]);
    const open = blobs.open.bind(blobs);
    blobs.open = (digest) => (digest.hash === wanted.chunks.at(1).hash ? undefined : open(digest));
    await assert.rejects(splices.store(tenant, wanted, signal), { code: "not-found" });
    assert.equal(blobs.usage().bytes, 4000);
    blobs.open = open;
    const large = await order(blobs, [3000, 2500]);
    await assert.rejects(splices.store(tenant, large, signal), { code: "exhausted" });
    assert.equal(blobs.usage().bytes, 9500);
  });

  it("remembers chunks that are as the cutter makes them, where the client says that it did", async () => {
    const { blobs, tenant, splices, lists } = setUp();
    const bytes = createHash("shake128", { outputLength: 4 << 20 })
      .update("cut")
      .digest();
    const cdc = new FastCdc(chunkSizes(512 << 10));
    const chunks = new DigestList(sha256);
    for (let at = 0; at < bytes.length; ) {
      const end = cdc.cut(bytes, at, bytes.length);
      const chunk = bytes.subarray(at, end);
      await blobs.put(digestOf(sha256, chunk), chunk);
      chunks.push(digestOf(sha256, chunk));
      at = end;
    }
    const blob = digestOf(sha256, bytes);
    await splices.store(tenant, { blob, chunks, cutByFastCdc: false }, signal);
    assert.equal(lists.get(tenant, blob), undefined);
    await splices.store(tenant, { blob, chunks, cutByFastCdc: true }, signal);
    assert.equal(lists.get(tenant, blob), undefined, "nobody has verified these chunks");
    await blobs.remove(blob);
    await splices.store(tenant, { blob, chunks, cutByFastCdc: true }, signal);
    assert.equal(lists.get(tenant, blob)?.length, chunks.length);
    const small = await order(blobs, [100, 200]);
    await splices.store(tenant, small, signal);
    assert.equal(lists.get(tenant, small.blob), undefined);
  });

  it("does not begin for who has gone", async () => {
    const { blobs, tenant, splices } = setUp();
    const wanted = await order(blobs, [10, 20]);
    const gone = AbortSignal.abort(new StillageError("cancelled", "gone"));
    await assert.rejects(splices.store(tenant, wanted, gone), { code: "cancelled" });
    assert.ok(!isThere(blobs, wanted.blob));
  });
});
