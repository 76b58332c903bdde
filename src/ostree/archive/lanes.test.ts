import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "./lanes.ts";

test("whoever waits for all jobs hears of the one that failed, also where that was the last", async () => {
  const lanes = new Lanes(2);
  const job = async (fails: boolean): Promise<void> => {
    await Promise.resolve();
    if (fails) throw new Error("broken");
  };
  for (const fails of [false, false, true]) {
    await lanes.take();
    void lanes.run(() => job(fails));
  }
  await assert.rejects(lanes.drain(), { message: "broken" });
  await assert.rejects(lanes.take(), { message: "broken" });
});
