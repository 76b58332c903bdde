import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Log, silentLog } from "../base/log.ts";
import { putBlob } from "../cache/tree.fixture.ts";
import { Sweeper } from "./sweeper.ts";
import { hour, noLimits, World } from "./world.fixture.ts";

/** A sweeper of a store of twenty blobs of ten bytes, half of them leased, and a note of when it makes room. */
async function setUp(quota: number) {
  const world = new World();
  const put = async (from: number): Promise<void> => {
    for (let i = from; i < from + 10; i++) {
      await putBlob(world.blobs, `blob ${10_000 + i}`);
      world.now += 1000;
    }
  };
  await put(0);
  const state = { making: 0, others: 0, fails: false };
  const lines: string[] = [];
  const note = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const sweeper = new Sweeper({
    blobs: {
      census: () => {
        if (state.fails) throw new Error("the disk");
        return world.blobs.census();
      },
      usage: () => ({ bytes: world.blobs.usage().bytes, reclaimable: 0 }),
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
    room: { quota, high: quota * 0.9, low: quota * 0.5 },
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
    const { sweeper, bytes } = await setUp(300);
    sweeper.pressed(170);
    await sweeper.run();
    assert.equal(bytes(), 130);
    await sweeper.stop();
  });

  it("says that all is leased, and lets nobody wait for a while then", async () => {
    const { world, sweeper, state, lines, bytes } = await setUp(100);
    await sweeper.run();
    assert.equal(bytes(), 100, "only what is leased is left");
    await sweeper.run();
    assert.deepEqual(lines.at(-1), "the store is full of what is pinned or was used within the lease");
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
