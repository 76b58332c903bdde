import assert from "node:assert/strict";
import { test } from "node:test";
import { doAll, Lanes } from "./lanes.ts";

const { signal } = new AbortController();
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("no more than so many at a time, and all get their turn", async () => {
  const lanes = new Lanes(3);
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await doAll([...Array(20).keys()], lanes, signal, async (item) => {
    most = Math.max(most, ++running);
    await breath();
    running--;
    done.push(item);
  });
  assert.deepEqual([most, done], [3, [...Array(20).keys()]]);
});

test("the first failure ends the rest, and those that wait never begin", async () => {
  const lanes = new Lanes(2);
  const begun: number[] = [];
  const work = async (item: number, stop: AbortSignal): Promise<void> => {
    begun.push(item);
    await breath();
    if (item === 1) throw new Error("one");
    stop.throwIfAborted();
    await breath();
    stop.throwIfAborted();
  };
  await assert.rejects(doAll([0, 1, 2, 3, 4], lanes, signal, work), { message: "one" });
  assert.deepEqual(begun, [0, 1]);
  await lanes.run(signal, breath);
});

test("whoever waits for a lane hears of the signal at once", async () => {
  const lanes = new Lanes(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = lanes.run(signal, () => promise);
  const stop = new AbortController();
  const second = assert.rejects(lanes.run(stop.signal, breath));
  const third = assert.rejects(doAll([1], lanes, stop.signal, breath), { code: "cancelled" });
  stop.abort();
  await Promise.all([second, third]);
  resolve();
  await first;
  await lanes.run(signal, breath);
});
