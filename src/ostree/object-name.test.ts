import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { character } from "../base/gvariant/arbitrary.fixture.ts";
import { checkName, compareNames } from "./names.ts";
import {
  objectFileName,
  objectPath,
  objectTypes,
  parseChecksum,
  parseObjectFileName,
  parseObjectPath,
} from "./object-name.ts";
import { isRefName, parseRefName, refsCollide } from "./ref-name.ts";

const sum = `ab${"0c".repeat(31)}`;

test("objects have their paths", () => {
  assert.equal(objectPath(sum, "file"), `objects/ab/${"0c".repeat(31)}.filez`);
  for (const type of objectTypes) {
    assert.deepEqual(parseObjectPath(objectPath(sum, type)), { checksum: sum, type });
    assert.deepEqual(parseObjectFileName(objectFileName({ checksum: sum, type })), { checksum: sum, type });
  }
});

const noPaths = [
  "",
  "config",
  `objects/ab/${"0c".repeat(31)}`,
  `objects/ab/${"0c".repeat(31)}.file`,
  `objects/ab/${"0c".repeat(31)}.commitmeta`,
  `objects/ab/${"0c".repeat(30)}.dirtree`,
  `objects/AB/${"0c".repeat(31)}.dirtree`,
  `objects/ab/../ab/${"0c".repeat(31)}.dirtree`,
  `objects/ab/${"0c".repeat(31)}.dirtree\n`,
  `/objects/ab/${"0c".repeat(31)}.dirtree`,
];

for (const path of noPaths) {
  test(`${JSON.stringify(path)} is no object`, () => {
    assert.equal(parseObjectPath(path), undefined);
    assert.equal(parseObjectFileName(path), undefined);
  });
}

for (const text of ["", sum.slice(1), `${sum}0`, sum.toUpperCase(), `${sum}\n`, "g".repeat(64)]) {
  test(`${JSON.stringify(text)} is no checksum`, () => assert.throws(() => parseChecksum(text), { code: "invalid" }));
}

test("names are in the order of their bytes", () => {
  const text = fc.string({ unit: character, maxLength: 4 });
  const edge = fc.constantFrom("\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}", "a", "\u007f", "\u0080");
  const name = fc.oneof(
    text,
    fc.array(edge, { maxLength: 3 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(name, name, (a, b) => {
      assert.equal(Math.sign(compareNames(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 300 },
  );
});

for (const name of ["", ".", "..", "a/b", "/", "a\0"]) {
  test(`${JSON.stringify(name)} is no name of a file`, () => assert.throws(() => checkName(name), { code: "invalid" }));
}

for (const name of ["a", "...", ".hidden", "-", "é", "a\nb", " "]) {
  test(`${JSON.stringify(name)} is a name of a file`, () => checkName(name));
}

for (const name of ["main", "test/one", "project/a-b_c.d/0123", "_", "a".repeat(255)]) {
  test(`${name.slice(0, 30)} is a ref`, () => assert.equal(parseRefName(name), name));
}

const noRefs = [
  "",
  "/",
  "a/",
  "/a",
  "a//b",
  ".",
  "a/..",
  "-a",
  "a/.b",
  "a b",
  "é",
  "a\n",
  "a\0",
  "a:b",
  "a".repeat(256),
];
for (const name of [...noRefs, `${"a/".repeat(600)}a`]) {
  test(`${JSON.stringify(name.slice(0, 30))} is no ref`, () => {
    assert.equal(isRefName(name), false);
    assert.throws(() => parseRefName(name), { code: "invalid" });
  });
}

test("a ref and what is below it cannot be in one repository", () => {
  assert.equal(refsCollide("a", "a/b"), true);
  assert.equal(refsCollide("a/b/c", "a/b"), true);
  assert.equal(refsCollide("a/b", "a/bc"), false);
});
