import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutoff } from "./cutoff.ts";

interface Thing {
  readonly time: number;
  readonly bytes: number;
}

const candidatesOf =
  (things: readonly Thing[]) =>
  async (take: (time: number, bytes: number) => void): Promise<void> => {
    for (const { time, bytes } of things) take(time, bytes);
  };

test("finds the earliest time before which there is enough, as sorting would", async () => {
  const time = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 0xfffffffe }));
  const things = fc.array(fc.record({ time, bytes: fc.integer({ min: 1, max: 1000 }) }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(things, fc.integer({ min: -5, max: 20_000 }), time, async (all, bytes, limit) => {
      const found = await cutoff(candidatesOf(all), bytes, limit);
      const before = (end: number): number => all.reduce((sum, each) => sum + (each.time < end ? each.bytes : 0), 0);
      if (bytes <= 0) assert.equal(found, 0);
      else if (before(limit) < bytes) assert.equal(found, limit);
      else {
        assert.ok(before(found) >= bytes);
        assert.ok(before(found - 1) < bytes);
      }
    }),
  );
});

test("copes with candidates that go while it looks", async () => {
  const things: Thing[] = Array.from({ length: 10 }, (_, i) => ({ time: 1000 * i, bytes: 1 }));
  const shrinking = async (take: (time: number, bytes: number) => void): Promise<void> => {
    await candidatesOf(things)(take);
    things.length -= 3;
  };
  assert.equal(await cutoff(shrinking, 8, 20_000), 20_000);
});
