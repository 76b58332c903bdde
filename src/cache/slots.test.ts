import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "./slots.ts";

test("no more jobs run than there are slots, the first come first, and a failure frees its slot", async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const jobs = [0, 1, 2, 3].map((i) =>
    slots.run(async () => {
      started.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 0) throw new Error("failed");
      return i;
    }),
  );
  const failed = assert.rejects(jobs[0] as Promise<number>, /failed/);
  assert.deepEqual(started, [0, 1]);
  ends[0]?.();
  await failed;
  assert.deepEqual(started, [0, 1, 2]);
  ends[1]?.();
  assert.equal(await jobs[1], 1);
  assert.deepEqual(started, [0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  assert.deepEqual(await Promise.all(jobs.slice(2)), [2, 3]);
});
