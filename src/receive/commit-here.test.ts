import assert from "node:assert/strict";
import { test } from "node:test";
import type { Commit } from "../ostree/commit.ts";
import { checkWords, commitHere, objections } from "./commit-here.ts";

const a = "a".repeat(64);
const b = "b".repeat(64);
const text = (value: string) => ({ type: "s", value });
const binding = (...refs: string[]) => ({ type: "as", value: refs });

const pushed: Commit = {
  metadata: [
    ["version", text("1")],
    ["ostree.ref-binding", binding("devel", "os")],
    ["ostree.collection-binding", text("org.example.Build")],
    ["stillage.manifest.sha256", text(b)],
    ["stillage.artifact.name", text("project/element.bst")],
    ["custom", { type: "u", value: 7 }],
  ],
  parent: a,
  subject: "subject",
  body: "body",
  timestamp: 1000,
  tree: a,
  treeMeta: b,
};

test("a commit is bound to the branch and follows its head; all else stays", () => {
  assert.deepEqual(commitHere(pushed, "os", b, undefined), {
    ...pushed,
    parent: b,
    metadata: [
      ["version", text("1")],
      ["ostree.ref-binding", binding("os")],
      ["custom", { type: "u", value: 7 }],
    ],
  });
  assert.deepEqual(commitHere(pushed, "os", undefined, "org.example.Os").metadata, [
    ["version", text("1")],
    ["ostree.ref-binding", binding("os")],
    ["ostree.collection-binding", text("org.example.Os")],
    ["custom", { type: "u", value: 7 }],
  ]);
});

test("bindings that are missing are added at the end, and double ones become one", () => {
  const { metadata } = commitHere({ ...pushed, metadata: [["x", text("1")]] }, "os", undefined, "c");
  assert.deepEqual(metadata, [
    ["x", text("1")],
    ["ostree.ref-binding", binding("os")],
    ["ostree.collection-binding", text("c")],
  ]);
  const double = commitHere({ ...pushed, metadata: [...metadata, ...metadata] }, "os", undefined, undefined);
  assert.deepEqual(double.metadata, [
    ["x", text("1")],
    ["ostree.ref-binding", binding("os")],
    ["x", text("1")],
  ]);
});

test("with no head and equal bindings nothing changes", () => {
  const first = commitHere(pushed, "os", undefined, undefined);
  assert.deepEqual(commitHere(first, "os", undefined, undefined), first);
});

test("what is older, of the same time or of the same content has no reason to be taken", () => {
  const other = { ...pushed, tree: b };
  assert.deepEqual(objections({ ...other, timestamp: 1001 }, pushed), []);
  for (const timestamp of [999, 1000]) assert.equal(objections({ ...other, timestamp }, pushed).length, 1);
  assert.deepEqual(objections({ ...pushed, timestamp: 1001 }, pushed), ["it has the same content"]);
  assert.deepEqual(objections({ ...other, treeMeta: a, timestamp: 1001 }, pushed), []);
  assert.equal(objections(pushed, pushed).length, 2);
});

test("what every visitor reads of a commit is short", () => {
  const line = "x".repeat(1000);
  const metadata = [["version", text(line)] as const];
  checkWords("os", a, { ...pushed, subject: line, metadata, body: "x".repeat(65_536) });
  const long = `${line}x`;
  const refused: [Commit, RegExp][] = [
    [{ ...pushed, subject: long }, /^os: the subject of a{64} has 1001 characters, and may have 1000$/],
    [{ ...pushed, body: "x".repeat(65_537) }, /the body of/],
    ...["version", "ostree.source-title", "ostree.endoflife", "ostree.endoflife-rebase"].map(
      (key): [Commit, RegExp] => [{ ...pushed, metadata: [[key, text(long)]] }, /has 1001 characters/],
    ),
  ];
  for (const [commit, message] of refused) {
    assert.throws(() => checkWords("os", a, commit), { code: "exhausted", message });
  }
});
