import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRange } from "./byte-range.ts";

test("ranges of a thousand bytes", () => {
  for (const [header, start, end] of [
    ["bytes=0-0", 0, 1],
    ["bytes=0-", 0, 1000],
    ["bytes=999-2000", 999, 1000],
    ["bytes=-1", 999, 1000],
    ["bytes=-2000", 0, 1000],
    [" bytes=1-2 ", 1, 3],
  ] as const) {
    assert.deepEqual(parseRange(header, 1000), { start, end }, header);
  }
});

test("what lies behind the end is unsatisfiable, and what is no single range is as if it were not there", () => {
  for (const header of ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
    assert.equal(parseRange(header, 1000), "unsatisfiable");
  assert.equal(parseRange("bytes=-5", 0), "unsatisfiable");
  for (const header of [undefined, "", "bytes=", "bytes=-", "bytes=2-1", "bytes=0-1,3-4", "lines=0-1", "bytes=x-1"])
    assert.equal(parseRange(header, 1000), undefined, `${header}`);
});
