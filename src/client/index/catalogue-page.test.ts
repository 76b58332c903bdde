import assert from "node:assert/strict";
import { it } from "node:test";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { cataloguePage } from "./catalogue-page.ts";

const content = digestOf(sha256, Buffer.from("content"));
const item = {
  ...{ instance: "", project: "harbour", element: "data-tree", keys: ["strong", "weak"], moreKeys: false },
  ...{ generation: "2.x", pushed: "2026-01-02T03:04:05.000Z", pushedBy: "ci" },
  content: { function: "sha256", hash: content.hash, size: content.size },
};
const page = (value: unknown) => cataloguePage(Buffer.from(JSON.stringify(value)), "cache");

it("has artifacts with what the server has noted of them, and where it goes on", () => {
  const { items, next } = page({ items: [item], next: "cursor" });
  assert.equal(next, "cursor");
  assert.deepEqual(items, [
    {
      ...{ project: "harbour", element: "data-tree", keys: ["strong", "weak"], generation: "2.x", content },
      message: undefined,
      record: { instance: "", pushed: Date.parse(item.pushed), by: "ci", moreKeys: false },
    },
  ]);
  assert.deepEqual(page({ items: [], next: null }), { items: [], next: undefined });
});

const strange: [what: string, change: object][] = [
  ["a project that leads out of a directory", { project: ".." }],
  ["a part of an element that does", { element: "a/../b" }],
  ["a key with a slash", { keys: ["a/b"] }],
  ["an empty key", { keys: [""] }],
  ["a control character", { element: "a\u0007" }],
  ["another hash function", { content: { function: "blake3", hash: content.hash, size: 7 } }],
  ["a generation that is not known here", { generation: "3.x" }],
];
for (const [what, change] of strange) {
  it(`leaves out an artifact with ${what}, and no other one`, () => {
    const { items } = page({ items: [{ ...item, ...change }, item], next: null });
    assert.equal(items.length, 1);
  });
}

const broken: [what: string, value: unknown][] = [
  ["no object", [item]],
  ["no items", { next: null }],
  ["no next", { items: [] }],
  ["an item that is none", { items: ["x"], next: null }],
  ["an item without keys", { items: [{ ...item, keys: [] }], next: null }],
  ["a hash that is none", { items: [{ ...item, content: { ...item.content, hash: "zz" } }], next: null }],
  ["a size that is none", { items: [{ ...item, content: { ...item.content, size: -1 } }], next: null }],
];
for (const [what, value] of broken) {
  it(`is an error with ${what}`, () => {
    assert.throws(() => page(value), { code: "unavailable", message: /^cache / });
  });
}

it("is an error where it is no JSON", () => {
  assert.throws(() => cataloguePage(Buffer.from("<html>"), "cache"), { code: "unavailable" });
});
