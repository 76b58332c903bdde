import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayClock } from "./replay-clock.ts";

test("tells the time that it was told, as far as that can have been", () => {
  const clock = new ReplayClock(() => 10_000);
  assert.equal(clock.read(), 10_000);
  for (const [told, read] of [
    [500.7, 500],
    [20_000, 10_000],
    [-1, 0],
  ] as const) {
    clock.set(told);
    assert.equal(clock.read(), read);
  }
});
