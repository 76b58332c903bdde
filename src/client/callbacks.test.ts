import assert from "node:assert/strict";
import { test } from "node:test";
import { Callbacks } from "./callbacks.ts";

const error = new Error("thrown by the caller's function");
const failing = (): never => {
  throw error;
};

test("what a function throws stops the work, is the error of the call, and the last thing that is told", async () => {
  const callbacks = new Callbacks();
  const told: number[] = [];
  const tell = callbacks.safe((count: number) => {
    told.push(count);
    if (count === 2) failing();
  });
  const call = callbacks.during(async () => {
    tell(1);
    assert.ok(!callbacks.signal.aborted);
    tell(2);
    assert.equal(callbacks.signal.reason, error);
    tell(3);
    throw new Error("the work was stopped");
  });
  await assert.rejects(call, (thrown) => thrown === error);
  assert.deepEqual(told, [1, 2]);
});

test("so it is where the work came to its end all the same, and where the function is asynchronous", async () => {
  for (const each of [failing, async () => failing()]) {
    const callbacks = new Callbacks();
    const call = callbacks.during(async () => {
      callbacks.safe(each)();
      await new Promise((resolve) => setImmediate(resolve));
    });
    await assert.rejects(call, (thrown) => thrown === error);
  }
});

test("without a function, and with one that does not throw, a call is what its work is", async () => {
  const callbacks = new Callbacks();
  callbacks.safe(undefined)();
  callbacks.safe(() => {})();
  assert.equal(await callbacks.during(async () => 1), 1);
  await assert.rejects(callbacks.during(failing), (thrown) => thrown === error);
  const asynchronous = async (): Promise<never> => failing();
  await assert.rejects(callbacks.during(asynchronous), (thrown) => thrown === error);
});
