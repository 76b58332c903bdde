import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { silentLog } from "../../base/log.ts";
import { Space } from "./space.ts";

function space(quota: number): Space {
  return new Space(tmpdir(), quota, silentLog);
}

/** What becomes of a wait: filled in as it settles. */
function followed(waiting: void | Promise<void>): { is: string } {
  const state = { is: waiting === undefined ? "taken" : "waiting" };
  waiting?.then(
    () => {
      state.is = "taken";
    },
    (error: { code: string }) => {
      state.is = error.code;
    },
  );
  return state;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("Space", () => {
  it("refuses at once what does not fit, where nobody makes room", () => {
    const test = space(100);
    assert.equal(test.take(60), undefined);
    assert.throws(() => test.take(41), { code: "exhausted" });
    assert.throws(() => test.takeShared(41), { code: "exhausted" });
    assert.equal(test.take(40), undefined);
    assert.equal(test.used, 100);
  });

  it("lets what does not fit wait for those who make room, in order", async () => {
    const test = space(100);
    test.add(90);
    const [one, other] = [test.makingRoom(), test.makingRoom()];
    const waits = [30, 31, 40].map((bytes) => followed(test.take(bytes)));
    assert.throws(() => test.take(51), { code: "exhausted", message: /more than half of the quota/ }, "not for one");
    assert.equal(test.isShort, true);
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    test.giveBack(19);
    await turn();
    assert.deepEqual(
      waits.map(({ is }) => is),
      ["waiting", "waiting", "waiting"],
    );
    test.giveBack(32);
    await turn();
    assert.deepEqual(
      waits.map(({ is }) => is),
      ["taken", "taken", "waiting"],
    );
    assert.equal(test.used, 100);
    other[Symbol.dispose]();
    await turn();
    assert.deepEqual(
      waits.map(({ is }) => is),
      ["taken", "taken", "exhausted"],
    );
    assert.equal(test.isShort, false);
  });

  it("lets what fits pass what does not, up to as much as that needs", async () => {
    const test = space(100);
    test.add(80);
    using _ = test.makingRoom();
    const large = followed(test.take(30));
    const small = [10, 10, 5].map((bytes) => followed(test.take(bytes)));
    assert.deepEqual(
      small.map(({ is }) => is),
      ["taken", "taken", "waiting"],
    );
    test.giveBack(25);
    await turn();
    assert.deepEqual([large.is, small[2]?.is], ["waiting", "taken"]);
    const next = followed(test.take(6));
    test.giveBack(9);
    await turn();
    assert.deepEqual([large.is, next.is], ["waiting", "waiting"], "31 bytes would have passed it");
    test.giveBack(2);
    await turn();
    assert.deepEqual([large.is, next.is], ["taken", "waiting"]);
    test.giveBack(5);
    await turn();
    assert.equal(next.is, "taken");
    assert.equal(test.used, 100);
  });

  it("refuses what has waited too long, and then serves those behind it", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const test = space(100);
    test.add(90);
    using _ = test.makingRoom();
    const first = followed(test.take(20));
    t.mock.timers.tick(5000);
    assert.equal(test.take(5), undefined);
    assert.equal(test.take(5), undefined);
    const second = followed(test.take(9));
    t.mock.timers.tick(4999);
    await turn();
    assert.deepEqual([first.is, second.is], ["waiting", "waiting"]);
    test.giveBack(9);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual([first.is, second.is], ["exhausted", "taken"]);
  });

  it("does not give away what is given back to be taken again", async () => {
    const test = space(100);
    test.add(100);
    using _ = test.makingRoom();
    const waiting = followed(test.take(50));
    test.giveBack(60);
    test.add(60);
    await turn();
    assert.equal(waiting.is, "waiting");
    test.close();
    await turn();
    assert.equal(waiting.is, "unavailable");
  });

  it("tells once that the mark is passed, and each time that something does not fit", async () => {
    const test = space(100);
    let told = 0;
    test.add(30);
    test.watch(50, () => told++);
    test.add(20);
    assert.equal(told, 0);
    test.add(10);
    test.add(10);
    assert.equal(told, 1);
    test.giveBack(20);
    test.lend(30);
    assert.equal(told, 1, "what is lent is given back anyway");
    test.giveBack(30);
    assert.equal(test.takeShared(11), undefined);
    assert.equal(told, 2);
    assert.throws(() => test.take(50), { code: "exhausted" });
    assert.equal(told, 3);
    test.watch(60, () => told++);
    assert.equal(told, 4, "it is above the new mark");
  });

  it("lets an upload wait for one who begins to make room when told of it", async () => {
    const test = space(100);
    test.add(90);
    let making: Disposable | undefined;
    test.watch(95, () => {
      making ??= test.makingRoom();
    });
    const waiting = followed(test.take(50));
    assert.equal(waiting.is, "waiting");
    test.giveBack(90);
    await turn();
    assert.equal(waiting.is, "taken");
    making?.[Symbol.dispose]();
  });

  it("counts what others have", () => {
    const test = space(100);
    test.setOthers(60);
    assert.deepEqual([test.used, test.others], [60, 60]);
    assert.throws(() => test.take(50), { code: "exhausted" });
    test.setOthers(40);
    assert.equal(test.take(50), undefined);
    assert.equal(test.used, 90);
  });
});
