import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget } from "./byte-budget.ts";
import { TransferProgress } from "./transfer-progress.ts";

test("the rate is that of the last seconds, and the time left follows from it", () => {
  let now = 0;
  const progress = new TransferProgress(() => now);
  progress.addItems(1);
  progress.itemBegins();
  progress.walkBegins();
  assert.deepEqual([progress.state().bytesPerSecond, progress.state().secondsLeft], [undefined, undefined]);
  progress.found(10, 100_000);
  for (now = 1000; now <= 10_000; now += 1000) progress.moved(1, now <= 5000 ? 100 : 1000);
  now = 10_000;
  const before = progress.state();
  assert.deepEqual(
    [before.bytes, before.blobs],
    [
      { done: 5500, all: 100_000 },
      { done: 10, all: 10 },
    ],
  );
  assert.deepEqual([before.allKnown, before.secondsLeft], [false, undefined]);
  progress.walkEnds();
  const { bytesPerSecond, secondsLeft, allKnown } = progress.state();
  assert.equal(allKnown, true);
  assert.ok(Math.abs((bytesPerSecond ?? 0) - 1000) < 150, `${bytesPerSecond} bytes a second`);
  assert.ok(Math.abs((secondsLeft ?? 0) - 94_500 / (bytesPerSecond ?? 1)) < 1e-6);
  // Nothing has come for long.
  now = 60_000;
  assert.ok((progress.state().bytesPerSecond ?? 0) < 1000);
});

test("of many items, those that are done tell how long the others take", () => {
  let now = 0;
  const progress = new TransferProgress(() => now);
  progress.listBegins();
  progress.addItems(10);
  for (let i = 0; i < 4; i++) progress.itemBegins();
  now = 3000;
  for (let i = 0; i < 3; i++) progress.itemDone();
  assert.equal(progress.state().secondsLeft, undefined, "there may be any number of them");
  progress.listEnds();
  assert.deepEqual([progress.state().allKnown, progress.state().secondsLeft], [false, 7]);
});

test("who needs memory gets it in order, never more than there is, and what is too large gets all", async () => {
  const budget = new ByteBudget(10);
  const [began, held]: [string[], { now: number; most: number }] = [[], { now: 0, most: 0 }];
  const ends: (() => void)[] = [];
  const hold = (name: string, bytes: number): Promise<void> =>
    budget.hold(bytes, async () => {
      began.push(name);
      held.now += Math.min(bytes, 10);
      held.most = Math.max(held.most, held.now);
      await new Promise<void>((resolve) => ends.push(resolve));
      held.now -= Math.min(bytes, 10);
    });
  const all = [hold("a", 6), hold("b", 4), hold("huge", 99), hold("c", 1)];
  assert.deepEqual(began, ["a", "b"]);
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  assert.deepEqual([began, held], [["a", "b", "huge", "c"], { now: 0, most: 10 }]);
  await assert.rejects(
    budget.hold(10, () => Promise.reject(new Error("no"))),
    /no/,
  );
  await budget.hold(10, async () => {});
});
