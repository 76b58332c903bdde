import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { entryPath, symlinkTarget } from "./entry-path.ts";

const bytes = (text: string) => Buffer.from(text);

describe("the path of an entry", () => {
  const good: [text: string, names: string[]][] = [
    ["a", ["a"]],
    ["a/b/", ["a", "b"]],
    ["./a//b/./c", ["a", "b", "c"]],
    [".", []],
    ["./", []],
    ["", []],
    ["...", ["..."]],
    ["..a/b..", ["..a", "b.."]],
    ["ä/日本/😀", ["ä", "日本", "😀"]],
    ["a\\b", ["a\\b"]],
    ["\ufeffa", ["\ufeffa"]],
    [`${"x".repeat(255)}`, ["x".repeat(255)]],
  ];
  for (const [text, names] of good) {
    it(`${JSON.stringify(text.slice(0, 40))} is ${names.length} deep`, () =>
      assert.deepEqual(entryPath(bytes(text)), names));
  }

  const bad: [what: string, path: Uint8Array][] = [
    ["absolute", bytes("/etc/passwd")],
    ["only a slash", bytes("/")],
    ["out of it", bytes("../a")],
    ["out of it in the middle", bytes("a/../../b")],
    ["out of it at the end", bytes("a/..")],
    ["nearly out of it", bytes("a/../b")],
    ["with a zero byte", bytes("a\0b")],
    ["Latin-1", Buffer.from([0x61, 0xe4])],
    ["a cut character", Buffer.from([0xf0, 0x9f, 0x98])],
    ["a surrogate in UTF-8", Buffer.from([0xed, 0xa0, 0x80])],
    ["an overlong slash", Buffer.from([0x61, 0xc0, 0xaf, 0x62])],
    ["a long name", bytes("x".repeat(256))],
    ["a long path", bytes("x/".repeat(2049))],
    ["a deep path", bytes("x/".repeat(129))],
  ];
  for (const [what, path] of bad) {
    it(`is not one that is ${what}`, () => assert.throws(() => entryPath(path), { code: "failed-precondition" }));
  }
});

describe("the target of a symbolic link", () => {
  const targets: [given: string, shown: string][] = [
    ["a", "a"],
    ["../../../etc/passwd", "../../../etc/passwd"],
    ["/etc/passwd", "/etc/passwd"],
    ["a//b/./c/", "a/b/c"],
    ["./a", "a"],
    [".", "."],
    ["/", "/"],
    ["//", "/"],
    ["..", ".."],
  ];
  for (const [given, shown] of targets)
    it(`${given} is ${shown}`, () => assert.equal(symlinkTarget(bytes(given)), shown));

  it("has one form, which stays", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "..", ".", "", "b c", "ü"), { minLength: 1 }), (parts) => {
        const text = parts.join("/");
        if (text === "") return;
        const once = symlinkTarget(bytes(text));
        assert.equal(symlinkTarget(bytes(once)), once);
        assert.doesNotMatch(once, /\/\/|\/\.\//);
      }),
    );
  });

  it("is neither empty nor another encoding", () => {
    for (const bad of [bytes(""), Buffer.from([0xff]), bytes("a\0")]) {
      assert.throws(() => symlinkTarget(bad), { code: "failed-precondition" });
    }
  });
});
