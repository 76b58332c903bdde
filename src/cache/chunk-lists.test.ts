import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../base/digest.ts";
import { blake3, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { memoryTenant } from "./tenant.fixture.ts";

const [one, other] = [memoryTenant("one"), memoryTenant("other")];
const blob = (text: string) => digestOf(sha256, Buffer.from(text));
const list = (length: number): DigestList => {
  const chunks = new DigestList(sha256);
  for (let i = 0; i < length; i++) chunks.push(blob(`chunk ${i}`));
  return chunks;
};

test("a list belongs to one blob, by one function, of one tenant", () => {
  const lists = new ChunkLists();
  lists.set(one, blob("a"), list(3));
  assert.equal(lists.get(one, blob("a"))?.length, 3);
  assert.deepEqual(lists.get(one, blob("a"))?.at(2), blob("chunk 2"));
  assert.equal(lists.get(other, blob("a")), undefined);
  assert.equal(lists.get(one, blob("b")), undefined);
  assert.equal(lists.get(one, { ...blob("a"), function: blake3 }), undefined);
});

test("a list is a copy, without room that it does not need", () => {
  const lists = new ChunkLists();
  const chunks = list(3);
  lists.set(one, blob("a"), chunks);
  chunks.clear();
  assert.deepEqual([lists.get(one, blob("a"))?.length, lists.get(one, blob("a"))?.sizes.length], [3, 3]);
});

test("what was not used the longest goes first, and a list in place of another counts once", () => {
  const lists = new ChunkLists(10 * (100 * 40 + 300));
  for (let i = 0; i < 10; i++) lists.set(one, blob(`${i}`), list(100));
  for (let i = 0; i < 50; i++) lists.set(one, blob("9"), list(100));
  assert.ok(lists.get(one, blob("0")));
  lists.set(one, blob("10"), list(100));
  assert.equal(lists.get(one, blob("1")), undefined);
  assert.ok(lists.get(one, blob("0")) && lists.get(one, blob("10")));
});

test("a list that alone is too large is not kept", () => {
  const lists = new ChunkLists(1000);
  lists.set(one, blob("a"), list(100));
  assert.equal(lists.get(one, blob("a")), undefined);
});
