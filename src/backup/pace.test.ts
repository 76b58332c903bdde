import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("bytes wait for those before them, and no longer", () => {
  let now = 0;
  const pace = new Pace(1000, new AbortController().signal, () => now);
  assert.equal(pace.waitFor(500), 0);
  assert.equal(pace.waitFor(500), 500);
  now = 1000;
  assert.equal(pace.waitFor(100), 0);
  now = 1020;
  assert.equal(pace.waitFor(100), 80);
  now = 60_000; // a minute in which nothing was copied is not made up for
  assert.equal(pace.waitFor(1000), 0);
  assert.equal(pace.waitFor(1000), 900);
});

test("as fast as it goes is no wait at all, and a stop ends one", async () => {
  const stop = new AbortController();
  const fast = new Pace(Number.POSITIVE_INFINITY, stop.signal, () => 0);
  assert.deepEqual([fast.waitFor(1e12), fast.waitFor(1e12)], [0, 0]);
  const slow = new Pace(1000, stop.signal);
  await slow.take(1e8);
  const waiting = slow.take(1);
  stop.abort(new Error("stopped"));
  await assert.rejects(waiting, { message: "stopped" });
  await assert.rejects(slow.take(1), { message: "stopped" });
});
