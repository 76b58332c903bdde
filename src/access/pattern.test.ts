import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matcher } from "./pattern.ts";

test("a star stands for any characters, and everything else for itself", () => {
  for (const [pattern, text, fits] of [
    ["main", "main", true],
    ["main", "mainly", false],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "team/alpha", true],
    ["team/*", "team/alpha", true],
    ["team/*", "team", false],
    ["*-ci", "alpha-ci", true],
    ["*-ci", "alpha-ci-x", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["a.c", "abc", false],
    ["**", "x", true],
  ] as const) {
    assert.equal(matcher(pattern)(text), fits, `${pattern} on ${text}`);
  }
});

test("agrees with regular expressions", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*"), { maxLength: 8 }).map((each) => each.join(""));
  const text = fc.array(fc.constantFrom("a", "b"), { maxLength: 8 }).map((each) => each.join(""));
  fc.assert(
    fc.property(pattern, text, (each, sample) => {
      const expected = new RegExp(`^${each.replaceAll("*", ".*")}$`).test(sample);
      assert.equal(matcher(each)(sample), expected);
    }),
  );
});
