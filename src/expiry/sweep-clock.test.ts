import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SweepClock } from "./sweep-clock.ts";

const hour = 3_600_000;
const year = 365 * 24 * hour;
const start = 56 * year;

/** A clock, how long the process runs, and by how much what shows the time is wrong. */
function setUp(leaseMs = 4 * hour) {
  const state = { elapsed: 0, wrong: 0 };
  const clock = new SweepClock({
    wall: () => start + state.elapsed + state.wrong,
    monotonic: () => 12_345 + state.elapsed,
    leaseMs,
  });
  /** Lets time pass, in steps such as those in which the sweeper looks at the clock. */
  const pass = (ms: number): void => {
    for (const end = state.elapsed + ms; state.elapsed < end; ) {
      state.elapsed = Math.min(end, state.elapsed + hour / 60);
      clock.observe();
    }
  };
  return { clock, state, pass };
}

describe("the clock of sweeps", () => {
  it("is the time, where nothing is wrong", () => {
    const { clock, pass } = setUp();
    clock.resume(start);
    pass(10 * hour);
    const time = clock.read();
    const now = start + 10 * hour;
    assert.deepEqual(time, { now, leaseStart: now - 4 * hour, ageNow: now, horizon: now + hour / 6, noticed: start });
  });

  it("does not count the time that the server was down", () => {
    const { clock, pass } = setUp();
    const lastUse = start - 5 * year;
    clock.resume(lastUse);
    assert.equal(clock.read().leaseStart, lastUse - 4 * hour);
    assert.equal(clock.read().ageNow, lastUse);
    pass(3 * hour);
    assert.equal(clock.read().leaseStart, lastUse - hour);
    assert.equal(clock.read().ageNow, lastUse + 3 * hour);
    pass(2 * hour);
    assert.equal(clock.read().leaseStart, start + hour);
  });

  it("lengthens leases from before by what may not have been noted then, once, and ages nothing by it", () => {
    const { clock, pass } = setUp();
    const lastUse = start - 5 * year;
    clock.resume(lastUse, hour / 6);
    assert.equal(clock.read().leaseStart, lastUse - 4 * hour - hour / 6);
    assert.equal(clock.read().ageNow, lastUse);
    pass(3 * hour);
    assert.equal(clock.read().leaseStart, lastUse - hour - hour / 6);
    pass(2 * hour);
    assert.equal(clock.read().leaseStart, start + hour);
  });

  it("keeps leases for as long as they are when it is set forward, and ages nothing at once", () => {
    const { clock, state, pass } = setUp();
    clock.resume(start);
    pass(10 * hour);
    state.wrong = 3 * year;
    pass(hour);
    assert.equal(clock.read().leaseStart, start + 7 * hour);
    assert.equal(clock.read().ageNow, start + 11 * hour);
    pass(3 * hour + hour / 60); // it was seen a minute later
    assert.equal(clock.read().leaseStart, start + 3 * year + 10 * hour + hour / 60);
    assert.equal(clock.read().ageNow, start + 14 * hour + hour / 60);
  });

  it("moves what was used before it was set back, and expires on", () => {
    const { clock, state, pass } = setUp();
    clock.resume(start);
    pass(10 * hour);
    state.wrong = -3 * year;
    pass(hour);
    const { now, leaseStart, ageNow, horizon, noticed } = clock.read();
    assert.equal(now, start - 3 * year + 11 * hour);
    assert.equal(leaseStart, now - 4 * hour);
    assert.equal(ageNow, now);
    assert.ok(horizon < start && horizon >= now);
    assert.ok(noticed <= now && noticed >= now - hour);
  });

  it("protects what is used right after it was set back a little", () => {
    const { clock, state, pass } = setUp(hour / 2);
    clock.resume(start);
    pass(10 * hour);
    state.wrong = -hour / 12;
    state.elapsed += 1000;
    const used = start + state.elapsed + state.wrong;
    pass(hour / 2 - 2000);
    assert.ok(clock.read().leaseStart <= used);
    pass(hour);
    assert.ok(clock.read().leaseStart > used);
  });

  it("takes uses that a clock ahead has noted before the start for what they are", () => {
    const { clock } = setUp();
    clock.resume(start - hour);
    clock.resume(start - 100 * hour); // once is enough
    const { ageNow, noticed, horizon } = clock.read();
    assert.deepEqual([ageNow, noticed, horizon], [start - hour, start, start + hour / 6]);
  });

  it("remembers no more than so many changes", () => {
    const { clock, state, pass } = setUp();
    for (let i = 0; i < 3000; i++) {
      state.wrong = (i % 2) * hour * 0.1;
      pass(1000);
    }
    assert.ok(clock.read().leaseStart <= clock.read().now - 4 * hour);
  });
});
