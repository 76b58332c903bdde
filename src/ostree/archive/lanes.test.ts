import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "./lanes.ts";

test("whoever waits for all lanes learns of the job that failed last", async () => {
  const lanes = new Lanes(2);
  await lanes.take();
  void lanes.run(async () => {
    await Promise.resolve();
    throw new Error("failed");
  });
  await assert.rejects(lanes.drain(), /failed/);
});
