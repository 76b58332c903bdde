import assert from "node:assert/strict";
import { test } from "node:test";
import { refMoves, refsAfter } from "./ref-moves.ts";

const [one, two] = ["1".repeat(64), "2".repeat(64)];

test("refs after changes are sorted, and an alias goes along", () => {
  const before = new Map([
    ["line", { commit: one }],
    ["stable", { commit: one, aliasOf: "line" }],
  ]);
  const changes = new Map([
    ["line", two],
    ["a", one],
  ]);
  assert.deepEqual(
    [...refsAfter(before, changes)],
    [
      ["a", one],
      ["line", two],
      ["stable", two],
    ],
  );
});

test("refuses refs that cannot be beside each other, and the removal of what an alias leads to", () => {
  const before = new Map([
    ["a/b", { commit: one }],
    ["a-b", { commit: one }],
    ["name", { commit: one, aliasOf: "a-b" }],
  ]);
  const refused = { code: "failed-precondition" };
  for (const name of ["a", "a/b/c", "a/b/c/d", "a-b/c"]) {
    assert.throws(() => refsAfter(before, new Map([[name, one]])), refused, name);
  }
  assert.throws(() => refsAfter(before, new Map([["a-b", undefined]])), refused);
  const gone = new Map([
    ["a-b", undefined],
    ["name", undefined],
  ]);
  assert.deepEqual([...refsAfter(before, gone).keys()], ["a/b"]);
});

test("what is in the way goes first, all other removals come last", () => {
  const before = new Map(["a/b", "old"].map((name) => [name, { commit: one }]));
  const changes = new Map([
    ["old", undefined],
    ["absent", undefined],
    ["a", two],
    ["a/b", undefined],
  ]);
  assert.deepEqual(refMoves(before, changes), [
    { path: "refs/heads/a/b", commit: undefined },
    { path: "refs/heads/a", commit: two },
    { path: "refs/heads/old", commit: undefined },
  ]);
});
