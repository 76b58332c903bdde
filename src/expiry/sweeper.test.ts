import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Log, silentLog } from "../base/log.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { Sweeper } from "./sweeper.ts";
import { hour, noLimits, World } from "./world.fixture.ts";

/** A sweeper of a store of twenty blobs of ten bytes, half of them leased, and a note of when it makes room. `low`: of the quota. */
async function setUp(quota: number, low = 0.5) {
  const world = new World();
  const put = async (from: number): Promise<void> => {
    for (let i = from; i < from + 10; i++) {
      await putBlob(world.blobs, `blob ${10_000 + i}`);
      world.now += 1000;
    }
  };
  await put(0);
  const state = { making: 0, others: 0, promised: 0, fails: false };
  const lines: string[] = [];
  const note = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const sweeper = new Sweeper({
    blobs: {
      census: () => {
        if (state.fails) throw new Error("the disk");
        return world.blobs.census();
      },
      usage: () => {
        const { bytes: live } = world.blobs.usage();
        return { bytes: live + state.promised, live, dead: 0, others: 0, reclaimable: 0 };
      },
      compact: async () => {},
      makingRoom: () => {
        state.making++;
        return { [Symbol.dispose]: () => void state.making-- };
      },
      setOtherBytes: (bytes) => {
        state.others = bytes;
      },
    },
    refs: world.refs,
    settings: noLimits,
    room: { quota, high: quota * 0.9, low: quota * low },
    clock: () => world.now,
    monotonic: () => world.now,
    log,
  });
  world.now += 10 * hour;
  await put(10);
  world.now += hour;
  return { world, sweeper, state, lines, bytes: () => world.blobs.usage().bytes };
}

describe("Sweeper", () => {
  it("makes room from the moment on when it is told that there is little, and ends below the low mark", async () => {
    const { sweeper, state, bytes, lines } = await setUp(220);
    assert.equal(bytes(), 200);
    sweeper.pressed();
    assert.equal(state.making, 1);
    assert.ok(sweeper.counts.running);
    const [one, other] = await Promise.all([sweeper.run(), sweeper.run()]);
    assert.equal(one, other, "one at a time");
    assert.deepEqual([bytes(), state.making], [110, 0]);
    const { done, failed, blobs, bytes: removed, running } = sweeper.counts;
    assert.deepEqual([done, failed, blobs, removed, running], [1, 0, 9, 90, false]);
    assert.deepEqual(lines, ["swept"]);
    await sweeper.stop();
  });

  it("makes room for what is larger than the room between the marks", async () => {
    const { sweeper, bytes } = await setUp(300, 0.8);
    sweeper.pressed(140);
    await sweeper.run();
    assert.equal(bytes(), 160);
    await sweeper.stop();
  });

  it("removes no more than down to the low mark for what finds no room all the same", async () => {
    const { sweeper, state, bytes, lines } = await setUp(190, 0.8);
    sweeper.pressed(95); // of the 95 that would be left 100 are leased
    await sweeper.run();
    assert.equal(bytes(), 150);
    assert.match(lines.at(-1) ?? "", /the store is full/);
    sweeper.pressed(95);
    assert.equal(state.making, 0, "nobody waits for it");
    await sweeper.stop();
  });

  it("leaves at least half of the quota for the sake of what is announced and has not come", async () => {
    const { sweeper, state, bytes } = await setUp(320, 0.7);
    state.promised = 160;
    sweeper.pressed(160);
    await sweeper.run();
    assert.equal(bytes(), 160);
    sweeper.pressed();
    await sweeper.run();
    assert.equal(bytes(), 160);
    await sweeper.stop();
  });

  it("waits before it sweeps again where it is full all the same, also when a little went", async () => {
    const { world, sweeper, state, bytes } = await setUp(110);
    sweeper.pressed();
    await sweeper.run();
    assert.equal(bytes(), 100);
    sweeper.pressed();
    assert.equal(state.making, 0);
    world.now += 60_000;
    sweeper.pressed();
    assert.equal(state.making, 1);
    await sweeper.stop();
  });

  it("says that all is leased, and lets nobody wait for a while then", async () => {
    const { world, sweeper, state, lines, bytes } = await setUp(100);
    await sweeper.run();
    assert.equal(bytes(), 100, "only what is leased is left");
    await sweeper.run();
    assert.deepEqual(lines.at(-1), "the store is full of what is pinned, leased or being uploaded");
    sweeper.pressed();
    assert.equal(state.making, 0);
    world.now += 5 * hour;
    sweeper.pressed();
    assert.equal(state.making, 1);
    await sweeper.run();
    assert.equal(bytes(), 50);
    await sweeper.stop();
  });

  it("counts a failure, says so, and goes on later", async () => {
    const { world, sweeper, state, lines, bytes } = await setUp(220);
    state.fails = true;
    assert.equal(await sweeper.run(), undefined);
    assert.deepEqual([sweeper.counts.failed, state.making, bytes()], [1, 0, 200]);
    assert.match(sweeper.counts.lastError ?? "", /unexpected error/);
    assert.match(lines.at(-1) ?? "", /a sweep failed/);
    state.fails = false;
    world.now += hour;
    sweeper.pressed();
    await sweeper.run();
    assert.deepEqual([sweeper.counts.lastError, bytes()], [undefined, 110]);
    await sweeper.stop();
  });

  it("ends a sweep where it is when it is stopped, and begins no other", async () => {
    const { sweeper, state, bytes } = await setUp(220);
    sweeper.pressed();
    await sweeper.stop();
    const left = bytes();
    sweeper.pressed();
    assert.equal(await sweeper.run(), undefined);
    assert.deepEqual([state.making, sweeper.counts.running, bytes()], [0, false, left]);
  });
});
