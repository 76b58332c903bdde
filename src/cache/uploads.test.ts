import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { idleUploadMs, maxIdleUploads, minResumableBytes, Uploads } from "./uploads.ts";

/** As little as is kept. */
const kept = minResumableBytes;

const bytes = Buffer.alloc(kept + 1000, "stillage");
const digest = digestOf(sha256, bytes);
const key = { instance: "", upload: "u", digest };

let now = 0;
let store: MemoryStore;
let uploads: Uploads;

beforeEach(() => {
  now = 1000;
  store = new MemoryStore();
  uploads = new Uploads(() => now);
});
afterEach(() => uploads.stop());

const present = async (): Promise<boolean> => (await store.missing(DigestList.of(digest))).length === 0;

async function cutAt(position: number, at = key): Promise<void> {
  const turn = await uploads.open(store, at, 0);
  await turn.write(bytes.subarray(0, position));
  await uploads.suspend(turn);
}

test("an upload that was cut goes on where it stopped", async () => {
  await cutAt(kept);
  assert.equal(uploads.received(key), kept);
  const turn = await uploads.open(store, key, kept);
  await turn.write(bytes.subarray(kept));
  await turn.finish();
  await uploads.close(turn);
  assert.ok(await present());
  assert.equal(uploads.received(key), undefined);
});

test("a client may send again what is here already", async () => {
  await cutAt(kept);
  const turn = await uploads.open(store, key, 300);
  await turn.write(bytes.subarray(300, 500));
  await turn.write(bytes.subarray(500));
  await turn.finish();
  await uploads.close(turn);
  assert.ok(await present());
});

test("an upload cannot go on beyond what is here", async () => {
  await assert.rejects(uploads.open(store, key, 5), { code: "out-of-range" });
  await cutAt(kept);
  await assert.rejects(uploads.open(store, key, kept + 1), { code: "out-of-range" });
  assert.equal(uploads.received(key), undefined);
});

test("a continuation ends the call that seemed to live on", async () => {
  const first = await uploads.open(store, key, 0);
  await first.write(bytes.subarray(0, 10));
  const second = await uploads.open(store, key, 10);
  assert.throws(() => first.write(bytes.subarray(10)), { code: "aborted" });
  await uploads.close(first);
  await second.write(bytes.subarray(10));
  await second.finish();
  await uploads.close(second);
  assert.ok(await present());
});

test("two clients that begin one upload do not disturb each other", async () => {
  const turns = [await uploads.open(store, key, 0), await uploads.open(store, key, 0)];
  for (const turn of turns) {
    await turn.write(bytes);
    await turn.finish();
    await uploads.close(turn);
  }
  assert.ok(await present());
});

test("an upload of which little has come is not kept, and its room is free", async () => {
  await cutAt(kept - 1);
  assert.equal(uploads.received(key), undefined);
  assert.equal(store.usage().bytes, 0);
});

test("where there is no room, an upload of the same blob that waits gives way, and of others the oldest", async () => {
  store = new MemoryStore({ quota: bytes.length * 3 });
  const [other, third] = [10, 20].map((more) => {
    const size = bytes.length - more;
    return { ...key, digest: digestOf(sha256, bytes.subarray(0, size)) };
  }) as [typeof key, typeof key];
  for (const each of [other, key, third]) {
    now++;
    await cutAt(kept, each);
  }
  const again = await uploads.open(store, { ...key, upload: "again" }, 0);
  assert.deepEqual(
    [key, other, third].map((each) => uploads.received(each)),
    [undefined, kept, kept],
  );
  const another = { ...key, digest: digestOf(sha256, bytes.subarray(0, 1000)) };
  await uploads.close(await uploads.open(store, another, 0));
  assert.deepEqual(
    [other, third].map((each) => uploads.received(each)),
    [undefined, kept],
  );
  await uploads.close(again);
});

test("nothing gives way to what does not fit all the same", async () => {
  store = new MemoryStore({ quota: bytes.length * 2 });
  await cutAt(kept);
  const large = { ...key, digest: { ...digest, size: bytes.length * 3 } };
  await assert.rejects(uploads.open(store, large, 0), { code: "exhausted" });
  assert.equal(uploads.received(key), kept);
});

test("what waits too long is given up", async () => {
  await cutAt(kept);
  now += idleUploadMs + 1;
  await cutAt(kept, { ...key, upload: "another" });
  assert.equal(uploads.received(key), undefined);
});

test("the oldest is given up where too many wait", async () => {
  for (let i = 0; i <= maxIdleUploads; i++) {
    now++;
    await cutAt(kept, { ...key, upload: `u${i}` });
  }
  assert.equal(uploads.received({ ...key, upload: "u0" }), undefined);
  assert.equal(uploads.received({ ...key, upload: "u1" }), kept);
});
