import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sha256 } from "../base/digest-function.ts";
import { character, typeAndValue } from "../base/gvariant/arbitrary.fixture.ts";
import { encode } from "../base/gvariant/gvariant.ts";
import { hashOf } from "../base/hash.ts";
import { type Commit, decodeCommit, encodeCommit } from "./commit.ts";
import { decodeDirMeta, encodeDirMeta } from "./dirmeta.ts";
import { bytesOfHex, hex } from "./vectors.fixture.ts";

const type = "(a{sv}aya(say)sstayay)";
const root = "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488";

test("a commit has the checksum that ostree gave it", () => {
  const tree = "f4f7fab673c66e8e3c6d6635495ec545f5eab027674e31eb84844eae8e729de5";
  const commit = {
    metadata: [],
    parent: undefined,
    subject: "subj",
    body: "body",
    timestamp: 1577934245,
    tree,
    treeMeta: root,
  };
  const bytes = encodeCommit(commit);
  assert.equal(hashOf(sha256, bytes), "d869cab83edda0421d512ae1218edf1eb41bcdcf5e28d8e30e7d3c704fece04e");
  assert.deepEqual(decodeCommit(bytes), commit);
});

const sum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex);
const text = fc.string({ unit: character });
const commits = fc
  .tuple(
    fc.array(fc.tuple(text, typeAndValue), { maxLength: 3 }),
    fc.option(sum, { nil: undefined }),
    text,
    text,
    fc.maxSafeNat(),
    sum,
    sum,
  )
  .map(([metadata, parent, subject, body, timestamp, tree, treeMeta]): Commit => {
    return { metadata, parent, subject, body, timestamp, tree, treeMeta };
  });

test("commits are read as what was written", () => {
  fc.assert(fc.property(commits, (commit) => assert.deepEqual(decodeCommit(encodeCommit(commit)), commit)));
});

const none = new Uint8Array();
const whole = new Uint8Array(32);
const written = encode(type, [[], none, [], "s", "b", 0n, whole, whole]);
const bad: Record<string, Uint8Array> = {
  "no bytes": none,
  "a cut one": written.subarray(0, -1),
  "one with a byte behind it": Uint8Array.from([...written, 0]),
  "a parent of 31 bytes": encode(type, [[], new Uint8Array(31), [], "s", "b", 0n, whole, whole]),
  "a dirtree of no bytes": encode(type, [[], none, [], "s", "b", 0n, none, whole]),
  "a dirmeta of 33 bytes": encode(type, [[], none, [], "s", "b", 0n, whole, new Uint8Array(33)]),
  "related commits": encode(type, [[], none, [["a", whole]], "s", "b", 0n, whole, whole]),
  "a time of more than can be counted": encode(type, [[], none, [], "s", "b", 0xffn, whole, whole]),
  "one that is too large": new Uint8Array(10 * 1024 * 1024 + 1),
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, () => assert.throws(() => decodeCommit(bytes), { code: "invalid" }));
}

const good: Commit = {
  metadata: [],
  parent: undefined,
  subject: "",
  body: "",
  timestamp: 0,
  tree: root,
  treeMeta: root,
};
const unfit: Record<string, Partial<Commit>> = {
  "a time before 1970": { timestamp: -1 },
  "half a second": { timestamp: 0.5 },
  "a parent that is no checksum": { parent: "00" },
  "a tree that is no checksum": { tree: root.toUpperCase() },
  "a subject with NUL": { subject: "\0" },
  "metadata of another type": { metadata: [["a", { type: "u", value: "text" }]] },
  "more than clients read": { body: "x".repeat(10 * 1024 * 1024) },
};

for (const [what, wrong] of Object.entries(unfit)) {
  test(`does not write ${what}`, () => assert.throws(() => encodeCommit({ ...good, ...wrong }), { code: "invalid" }));
}

test("the properties of a directory are read as what was written", () => {
  const xattrs = [{ name: Uint8Array.of(97, 0), value: Uint8Array.of(1, 2) }];
  const meta = { uid: 0xffffffff, gid: 7, mode: 0o042775, xattrs };
  assert.deepEqual(decodeDirMeta(encodeDirMeta(meta)), meta);
  assert.equal(hashOf(sha256, encodeDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] })), root);
});

const badMeta: Record<string, string> = {
  "no bytes": "",
  "a cut one": "0000000000000000000041",
  "the mode of a file": "0000000000000000000081ed",
  "a mode without type": "0000000000000000000001ed",
  "more than a mode": "0000000000000000000141ed",
  "an attribute without name": "0000000000000000000041ed" + "00",
};

for (const [what, bytes] of Object.entries(badMeta)) {
  test(`refuses ${what} for a directory`, () =>
    assert.throws(() => decodeDirMeta(bytesOfHex(bytes)), { code: "invalid" }));
}

test("does not write the mode of a file for a directory", () => {
  const meta = { uid: 0, gid: 0, xattrs: [] };
  assert.throws(() => encodeDirMeta({ ...meta, mode: 0o100755 }), { code: "invalid" });
  assert.throws(() => encodeDirMeta({ ...meta, mode: 0o755 }), { code: "invalid" });
});
