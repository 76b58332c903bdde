import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchLimit, cutIntoBatches, fitsBatch, maxBatchBytes } from "./batches.ts";

test("a server's limit counts up to what a message holds", () => {
  assert.deepEqual([0, 1 << 20, 1 << 30].map(batchLimit), [4_128_768, 1 << 20, maxBatchBytes]);
});

test("a batch has no more than a thousand blobs, however small", () => {
  const batches = cutIntoBatches(Array(2500).fill(0), (size: number) => size, maxBatchBytes);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [1000, 1000, 500],
  );
});

test("batches hold everything in order, within the limit, and none could take the next one's first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2000)), fc.integer({ min: 2256, max: 10_000 }), (sizes, limit) => {
      const batches = cutIntoBatches(sizes, (size) => size, limit);
      assert.deepEqual(batches.flat(), sizes);
      const taken = (batch: readonly number[]): number => batch.reduce((sum, size) => sum + size + 256, 0);
      for (const [i, batch] of batches.entries()) {
        assert.ok(batch.length > 0 && taken(batch) <= limit);
        const [next] = batches[i + 1] ?? [];
        if (next !== undefined) assert.ok(taken([...batch, next]) > limit);
      }
      assert.ok(sizes.every((size) => fitsBatch(size, limit)));
    }),
  );
});
