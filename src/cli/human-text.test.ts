import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromPrintable, humanAge, humanSize, printable } from "./human-text.ts";

test("nothing from outside acts on a terminal", () => {
  for (const [text, shown] of [
    ["plain ü 😀", "plain ü 😀"],
    ["\u001b[2Jgone", "\\x1b[2Jgone"],
    ["a\tb\nc\r", "a\\x09b\\x0ac\\x0d"],
    ["\\x1b", "\\\\x1b"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["\u009b31m", "\\x9b31m"],
    ["\ud800", "\ufffd"],
  ] as const) {
    assert.equal(printable(text), shown);
  }
});

test("what was made printable is read back, and what was not stays", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(fromPrintable(printable(text)), text);
    }),
  );
  for (const text of ["a\\b", "\\x1", "\\u{}", "\\u{ffffff}", "\\"]) assert.equal(fromPrintable(text), text);
});

test("sizes have three digits at most", () => {
  for (const [bytes, shown] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [1536, "1.54 kB"],
    [20 << 20, "21.0 MB"],
    [123 * 2 ** 30, "132 GB"],
    [2 ** 63, "9223 PB"],
  ] as const) {
    assert.equal(humanSize(bytes), shown);
  }
});

test("ages are in the largest unit", () => {
  const now = 1e12;
  for (const [age, shown] of [
    [0, "just now"],
    [59_999, "just now"],
    [60_000, "1 minute ago"],
    [7_200_000, "2 hours ago"],
    [86_400_000 * 45, "1 month ago"],
    [86_400_000 * 800, "2 years ago"],
    [-3_600_000, "in the future"],
  ] as const) {
    assert.equal(humanAge(now - age, now), shown);
  }
});
