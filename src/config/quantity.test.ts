import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checked } from "./checking.fixture.ts";
import { duration, percentage, showDuration, showPercentage, showSize, size } from "./quantity.ts";

test("sizes are bytes, or numbers with units of 1000 or 1024", () => {
  const good: Readonly<Record<string, number>> = {
    "1": 1,
    "10000000000": 1e10,
    "9007199254740991": Number.MAX_SAFE_INTEGER,
    "500G": 500e9,
    "500GB": 500e9,
    "500 GiB": 500 * 2 ** 30,
    "1.5T": 1.5e12,
    "64k": 64_000,
    "64Ki": 65_536,
    "2m": 2e6,
    "7B": 7,
  };
  for (const [text, value] of Object.entries(good)) assert.deepEqual(checked(size(1), text), { value }, text);
  const wrong = ["", "0", "-1", "+1", "1e3", "0x10", "10X", "10i", "1.5.5G", "G", "1,5G", "10 000", "9007199254740992"];
  for (const text of [...wrong, "1G\n", "１", "10PB", "1".repeat(400), "0.0000001", 5, true, null, ["1"], {}]) {
    assert.ok("findings" in checked(size(1), text), String(text));
  }
  assert.ok("findings" in checked(size(10, 20), "9"));
  assert.ok("findings" in checked(size(10, 20), "21"));
});

test("times have a unit and a limit", () => {
  const check = duration(86_400_000);
  const good: Readonly<Record<string, number>> = {
    "0s": 0,
    "250ms": 250,
    "30s": 30_000,
    "1.5s": 1500,
    "5m": 300_000,
    "2 h": 7_200_000,
    "1d": 86_400_000,
  };
  for (const [text, value] of Object.entries(good)) assert.deepEqual(checked(check, text), { value }, text);
  for (const text of [
    "",
    "30",
    "s",
    "-1s",
    "1e3s",
    "25h",
    "1w",
    "1S",
    "1s 1s",
    "9".repeat(30),
    "NaNs",
    "Infinitys",
    30,
  ]) {
    assert.ok("findings" in checked(check, text), String(text));
  }
});

test("what is shown means what it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      assert.deepEqual(checked(size(1), showSize(bytes)), { value: bytes });
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => {
      assert.deepEqual(checked(duration(86_400_000), showDuration(ms)), { value: ms });
    }),
  );
  assert.equal(showSize(4_128_768), "4032KiB");
  assert.equal(showSize(1e12), "1T");
  assert.equal(showSize(4097), "4097");
});

test("percentages are above 0 and up to 100", () => {
  for (const [text, value] of [
    ["95%", 95],
    ["0.5 %", 0.5],
    ["100%", 100],
    ["99.99%", 99.99],
  ] as const) {
    assert.deepEqual(checked(percentage, text), { value });
    assert.deepEqual(checked(percentage, showPercentage(value)), { value });
  }
  for (const text of ["", "95", "0%", "100.01%", "101%", "-1%", "1e1%", "9.123%", "%", 95, null]) {
    assert.ok("findings" in checked(percentage, text), String(text));
  }
});
