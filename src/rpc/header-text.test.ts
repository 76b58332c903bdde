import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeMessage, parseTimeout } from "./header-text.ts";

test("timeouts have up to eight digits and a unit", () => {
  const good: [string, number][] = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["99999999m", 99_999_999],
    ["0m", 0],
    ["1500u", 1.5],
    ["1000000n", 1],
  ];
  for (const [text, ms] of good) assert.equal(parseTimeout(text), ms, text);
  for (const text of ["", "S", "1", "1s", "123456789S", "-1S", "1.5S", " 1S", "1S ", "0x1S", "toString"]) {
    assert.equal(parseTimeout(text), undefined, text);
  }
});

test("messages are printable ASCII on the wire and come back the same", () => {
  assert.equal(encodeMessage("not found: 5/7"), "not found: 5/7");
  assert.equal(encodeMessage("100% ä\n"), "100%25 %C3%A4%0A");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const encoded = encodeMessage(text);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(decodeURIComponent(encoded), text.toWellFormed());
    }),
  );
});
