import assert from "node:assert/strict";
import { test } from "node:test";
import { inTime } from "./in-time.ts";

test("work that is in time is waited for, and its errors are told", async () => {
  assert.equal(await inTime(Promise.resolve(1), 60_000, "late"), 1);
  await assert.rejects(inTime(Promise.reject(new Error("no")), 60_000, "late"), /no/);
});

test("work that never ends is given up", async () => {
  assert.equal(await inTime(new Promise(() => {}), 1, "late"), "late");
});
