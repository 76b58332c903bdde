import assert from "node:assert/strict";
import { test } from "node:test";
import { clearCounts, SharedCounts, sharedCountsMemory } from "./shared-counts.ts";

test("what several count adds up, by kind and by client", () => {
  const memory = sharedCountsMemory(3, 12_345);
  const [one, two] = [new SharedCounts(memory, 0), new SharedCounts(memory, 2)];
  one.add("calls", "alice", 1);
  one.add("calls", undefined, 1);
  two.add("calls", "alice", 1);
  two.add("calls", "bob", 1);
  two.add("uploads", "alice", 1);
  for (const each of [one, two]) {
    assert.deepEqual([each.all("connections"), each.all("calls"), each.all("uploads")], [0, 4, 1]);
    assert.deepEqual(
      [each.client("calls", "alice"), each.client("calls", "bob"), each.client("calls", "eve")],
      [2, 1, 0],
    );
  }
  assert.deepEqual([one.here("calls"), two.here("calls")], [2, 2]);
  two.add("calls", "alice", -1);
  assert.equal(one.client("calls", "alice"), 1);
  clearCounts(memory, 2);
  assert.deepEqual([one.all("calls"), one.client("calls", "bob"), one.all("uploads")], [2, 0, 0]);
});
