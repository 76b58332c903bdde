import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, emptyDigest } from "../base/digest.ts";
import { digestFunctions, sha256 } from "../base/digest-function.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { Presence, presenceBatch } from "./presence.ts";
import { putBlob } from "./tree.fixture.ts";

test("everything of every function must be there, and the empty blob is", async () => {
  const store = new MemoryStore();
  const presence = new Presence(store);
  for (const fn of digestFunctions) {
    presence.require(emptyDigest(fn));
    presence.require(await putBlob(store, "content", fn));
  }
  assert.equal(await presence.all(), true);
  presence.require(await putBlob(store, "content"));
  presence.require(digestOf(sha256, Buffer.from("missing")));
  assert.equal(await presence.settled(), true);
  assert.equal(await presence.all(), false);
});

test("a question is asked as soon as there is enough to ask", async () => {
  const store = new MemoryStore();
  const presence = new Presence(store);
  const list = presence.list(sha256);
  const there = await putBlob(store, "there");
  for (let i = 0; i < presenceBatch; i++) list.push(there);
  assert.equal(await presence.settled(), true);
  assert.equal(list.length, 0);
  for (let i = 0; i < presenceBatch; i++) list.push(digestOf(sha256, Buffer.from("missing")));
  assert.equal(await presence.settled(), false);
});
