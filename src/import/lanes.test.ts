import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as breath } from "node:timers/promises";
import { inLanes } from "./lanes.ts";

test("does each once, begun in order, so many at a time", async () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  await inLanes(3, items, async (item) => {
    begun.push(item);
    most = Math.max(most, ++now);
    await breath();
    now--;
  });
  assert.deepEqual(begun, items);
  assert.equal(most, 3);
  await inLanes(3, [], async () => assert.fail());
});

test("a failure ends it, once what is under way has ended", async () => {
  const ended: number[] = [];
  const failing = inLanes(2, [0, 1, 2, 3], async (item) => {
    if (item === 0) throw new Error("no");
    await breath();
    ended.push(item);
  });
  await assert.rejects(failing, /no/);
  assert.deepEqual(ended, [1]);
});
