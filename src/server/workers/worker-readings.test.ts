import assert from "node:assert/strict";
import { test } from "node:test";
import { addedUp, type Reading } from "../metrics/meters.ts";
import { type ToldWorker, WorkerReadings } from "./worker-readings.ts";

const reading = (value: number): Reading[] =>
  (["counter", "gauge"] as const).map((type) => ({
    name: type,
    type,
    help: "",
    labels: [],
    samples: [{ labels: [], value }],
  }));

const sums = (told: readonly (readonly Reading[])[]) => addedUp(told).map(({ samples: [sample] }) => sample?.value);

test("a worker that ends while another is asked counts once, and its counters stay", async () => {
  const readings = new WorkerReadings();
  const late = Promise.withResolvers<Reading[]>();
  const dying: ToldWorker = { metrics: async () => reading(100), silent: true };
  const slow: ToldWorker = { metrics: () => late.promise, silent: false };
  const asked = readings.of([dying, slow]);
  readings.hasEnded(reading(100));
  late.resolve(reading(10));
  assert.deepEqual(sums(await asked), [110, 110]);
  assert.equal(readings.silent, 1);
  assert.deepEqual(sums(await readings.of([slow])), [110, 10]);
  assert.equal(readings.silent, 0);
});
