import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SlabPool } from "./slab-pool.ts";

test("buffers hold what was asked for and are used again", () => {
  const pool = new SlabPool();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000_000 }), (bytes) => {
      const slab = pool.take(bytes);
      assert.ok(slab.length >= bytes && (slab.length <= bytes * 1.5 || slab.length === 4096), `${slab.length}`);
      pool.give(slab);
      assert.equal(pool.take(bytes), slab);
      pool.give(slab);
    }),
  );
});

test("idle buffers are bounded", () => {
  const pool = new SlabPool();
  const slabs = Array.from({ length: 50 }, () => pool.take(1 << 20));
  for (const slab of slabs) pool.give(slab);
  const again = Array.from({ length: 50 }, () => pool.take(1 << 20));
  assert.equal(again.filter((slab) => slabs.includes(slab)).length, 24);
});
