import assert from "node:assert/strict";
import { it } from "node:test";
import { silentLog } from "../../base/log.ts";
import { LastUse, maxKeptUses, maxPendingUses } from "./last-use.ts";

/** A place for uses that takes them unless it is told to fail, and shows what is being written. */
function setUp() {
  const state = { fails: false, calls: 0, written: new Map<number, number>(), during: () => {} };
  const lastUse = new LastUse(async (used) => {
    state.calls++;
    await Promise.resolve();
    state.during();
    if (state.fails) throw new Error("the database is locked");
    for (const [id, time] of used) state.written.set(id, time);
  }, silentLog);
  return { state, lastUse };
}

it("a use that cannot be written waits for the next time, and is known until then", async () => {
  const { state, lastUse } = setUp();
  state.fails = true;
  lastUse.note(1, 10);
  lastUse.note(2, 10);
  state.during = () => {
    assert.ok(lastUse.has(1));
    lastUse.note(2, 20);
  };
  await lastUse.flush();
  assert.deepEqual([lastUse.has(1), lastUse.has(2), state.written.size], [true, true, 0]);
  state.fails = false;
  state.during = () => {};
  await lastUse.stop();
  assert.deepEqual(
    state.written,
    new Map([
      [1, 10],
      [2, 20],
    ]),
  );
  assert.deepEqual([lastUse.has(1), lastUse.has(2)], [false, false]);
});

it("keeps a bounded number of uses that cannot be written, and does not try at each of them", async () => {
  const { state, lastUse } = setUp();
  state.fails = true;
  for (let id = 0; id < maxPendingUses; id++) lastUse.note(id, 1);
  await lastUse.flush();
  for (let id = 0; id < 2 * maxKeptUses; id++) lastUse.note(id, 2);
  assert.ok(state.calls <= 2);
  state.fails = false;
  await lastUse.stop();
  assert.equal(state.written.size, maxKeptUses);
  assert.ok([...state.written.values()].every((time) => time === 2));
});
