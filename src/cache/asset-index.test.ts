import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf, emptyDigest } from "../base/digest.ts";
import { sha1, sha256 } from "../base/digest-function.ts";
import { MemoryRefStore } from "../store/memory/memory-ref-store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { type Asset, AssetIndex, type AssetQuery, maxReferences, type NewAsset } from "./asset-index.ts";
import { Closure } from "./closure.ts";
import { putBlob, putDirectory } from "./tree.fixture.ts";

function setUp(options: { readonly indexOnly?: boolean } = {}) {
  const time = { now: 10_000 };
  const clock = (): number => time.now;
  const blobs = new MemoryStore();
  const refs = new MemoryRefStore(clock);
  const closure = options.indexOnly ? undefined : new Closure(blobs, () => blobs.removals());
  const assets = new AssetIndex({ instance: "", refs, closure, clock });
  const find = (uris: string[], more: Partial<AssetQuery> = {}): Promise<Asset | undefined> =>
    assets.find({ kind: "blob", uris, qualifiers: [], function: undefined, oldest: undefined, ...more });
  const store = (uris: string[], digest: Digest, more: Partial<NewAsset> = {}): Promise<void> => {
    const message = Buffer.from("the request");
    return assets.store({
      kind: "blob",
      uris,
      qualifiers: [],
      digest,
      references: [],
      expires: undefined,
      message,
      ...more,
    });
  };
  return { time, clock, blobs, refs, find, store };
}

describe("AssetIndex", () => {
  it("finds what was stored, under each of its URIs, and overwrites it", async () => {
    const { blobs, refs, find, store } = setUp();
    const one = await putBlob(blobs, "one");
    const two = await putBlob(blobs, "two");
    assert.equal(await find(["urn:strong"]), undefined);
    await store(["urn:strong", "urn:weak"], one);
    assert.deepEqual(await find(["urn:weak"]), { uri: "urn:weak", digest: one, stored: 10_000, expires: undefined });
    await store(["urn:other", "urn:weak"], two);
    assert.deepEqual((await find(["urn:weak"]))?.digest, two);
    assert.deepEqual((await find(["urn:strong"]))?.digest, one);
    assert.equal(refs.count("asset"), 3);
  });

  it("is used when it is made, of however old an asset", async () => {
    const { blobs, refs, find, store } = setUp();
    await store(["urn:unpacked"], await putBlob(blobs, "one"), { stored: 500 });
    assert.deepEqual(
      [...refs.list({})].map(({ stored, used }) => [stored, used]),
      [[500, 10_000]],
    );
    assert.equal(await find(["urn:unpacked"], { oldest: 501 }), undefined);
  });

  it("takes the first URI that has a complete entry", async () => {
    const { blobs, find, store } = setUp();
    await store(["urn:dangling"], digestOf(sha256, Buffer.from("never stored")));
    const two = await putBlob(blobs, "two");
    const three = await putBlob(blobs, "three");
    await store(["urn:2"], two);
    await store(["urn:3"], three);
    assert.deepEqual(await find(["urn:absent", "urn:dangling", "urn:3", "urn:2"]), {
      uri: "urn:3",
      digest: three,
      stored: 10_000,
      expires: undefined,
    });
    assert.equal(await find(["urn:dangling"]), undefined);
  });

  it("keeps kinds, qualifiers and instances apart", async () => {
    const { blobs, refs, clock, find, store } = setUp();
    const digest = await putBlob(blobs, "content");
    const a = { name: "a", value: "1" };
    const b = { name: "b", value: "2" };
    await store(["urn:x"], digest, { qualifiers: [a, b] });
    assert.ok(await find(["urn:x"], { qualifiers: [b, a] }));
    assert.equal(await find(["urn:x"], { qualifiers: [a] }), undefined);
    assert.equal(await find(["urn:x"]), undefined);
    assert.equal(await find(["urn:x"], { qualifiers: [a, b], kind: "directory" }), undefined);
    const elsewhere = new AssetIndex({ instance: "other", refs, closure: undefined, clock });
    const query = {
      kind: "blob",
      uris: ["urn:x"],
      qualifiers: [a, b],
      function: undefined,
      oldest: undefined,
    } as const;
    assert.equal(await elsewhere.find(query), undefined);
  });

  it("serves nothing that expired, is older than wanted or of another hash function", async () => {
    const { time, blobs, find, store } = setUp();
    const digest = await putBlob(blobs, "content");
    await store(["urn:x"], digest, { expires: 20_000 });
    assert.equal((await find(["urn:x"], { oldest: 10_000 }))?.expires, 20_000);
    assert.equal(await find(["urn:x"], { oldest: 10_001 }), undefined);
    assert.ok(await find(["urn:x"], { function: sha256 }));
    assert.equal(await find(["urn:x"], { function: sha1 }), undefined);
    time.now = 20_000;
    assert.equal(await find(["urn:x"]), undefined);
    await store(["urn:x"], digest);
    assert.ok(await find(["urn:x"], { oldest: 20_000 }));
  });

  it("serves a directory while all of it is there, and heals when it is pushed again", async () => {
    const { blobs, find, store } = setUp();
    const digest = await putDirectory(blobs, { a: { b: "deep" } });
    await store(["urn:d"], digest, { kind: "directory" });
    assert.ok(await find(["urn:d"], { kind: "directory" }));
    await blobs.remove(digestOf(sha256, Buffer.from("deep")));
    assert.equal(await find(["urn:d"], { kind: "directory" }), undefined);
    await putBlob(blobs, "deep");
    assert.ok(await find(["urn:d"], { kind: "directory" }));
    await store(["urn:empty"], emptyDigest(sha256), { kind: "directory" });
    assert.ok(await find(["urn:empty"], { kind: "directory" }));
  });

  it("serves a blob while what it refers to is there", async () => {
    const { blobs, find, store } = setUp();
    const digest = await putBlob(blobs, "content");
    const referred = await putBlob(blobs, "referred");
    const tree = await putDirectory(blobs, { file: "in the tree" });
    const references = [{ walk: "blob", digest: referred } as const, { walk: "directory", digest: tree } as const];
    await store(["urn:x"], digest, { references });
    assert.ok(await find(["urn:x"]));
    await blobs.remove(digestOf(sha256, Buffer.from("in the tree")));
    assert.equal(await find(["urn:x"]), undefined);
  });

  it("reads what BuildStream pushed by its names, and nothing else, as its messages", async () => {
    const { blobs, find, store } = setUp();
    const digest = await putBlob(blobs, "neither an artifact nor a source");
    for (const uri of ["artifact:project/element/key", "source:key"]) {
      await store([`urn:fdc:buildstream.build:2020:${uri}`], digest);
      assert.equal(await find([`urn:fdc:buildstream.build:2020:${uri}`]), undefined);
      await store([`urn:fdc:buildstream.build:2020:v1:${uri}`], digest);
      assert.ok(await find([`urn:fdc:buildstream.build:2020:v1:${uri}`]));
    }
  });

  it("serves whatever was pushed where the blobs are elsewhere", async () => {
    const { find, store } = setUp({ indexOnly: true });
    const digest = digestOf(sha256, Buffer.from("elsewhere"));
    await store(["urn:fdc:buildstream.build:2020:artifact:p/e/k"], digest);
    assert.ok(await find(["urn:fdc:buildstream.build:2020:artifact:p/e/k"]));
  });

  it("records the asset and its references as roots, and the request", async () => {
    const { refs, store } = setUp();
    const digest = digestOf(sha256, Buffer.from("proto"));
    const references = [{ walk: "directory", digest: digestOf(sha256, Buffer.from("files")) } as const];
    await store(["urn:fdc:buildstream.build:2020:artifact:p/e/k"], digest, { references });
    const ref = refs.get({ space: "asset", instance: "", name: "blob\nurn:fdc:buildstream.build:2020:artifact:p/e/k" });
    assert.deepEqual(ref?.roots, [{ walk: "artifact", digest }, ...references]);
    assert.equal(Buffer.from(ref?.message ?? []).toString(), "the request");
  });

  it("refuses a push that refers to too much, or has no URI, and stores none of it", async () => {
    const { refs, store } = setUp();
    const digest = digestOf(sha256, Buffer.from("x"));
    const references = Array.from({ length: maxReferences + 1 }, () => ({ walk: "blob", digest }) as const);
    await assert.rejects(store(["urn:x"], digest, { references }), { code: "invalid" });
    await assert.rejects(store([], digest), { code: "invalid" });
    await assert.rejects(store(["urn:x", ""], digest), { code: "invalid" });
    assert.equal(refs.count("asset"), 0);
  });
});
