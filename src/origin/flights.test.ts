import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../base/errors.ts";
import { Flights } from "./flights.ts";

const options = { slots: 1, maxWaiting: 2, timeoutMs: 60_000 };
const forever = { signal: new AbortController().signal };
const breath = () => new Promise((resolve) => setImmediate(resolve));

describe("flights", () => {
  it("do one piece of work for all who ask for it, and again for who asks later", async () => {
    const flights = new Flights<number>(options);
    const { promise, resolve } = Promise.withResolvers<number>();
    let begun = 0;
    const work = () => {
      begun++;
      return promise;
    };
    const all = [1, 2, 3].map(() => flights.join("a", work, forever));
    assert.equal(flights.running, 1);
    resolve(7);
    assert.deepEqual(await Promise.all(all), [7, 7, 7]);
    await flights.join("a", work, forever);
    assert.equal(begun, 2);
    assert.equal(flights.running, 0);
  });

  it("tell all of a failure, and begin anew after it", async () => {
    const flights = new Flights<number>(options);
    const fail = () => Promise.reject(new StillageError("aborted", "no"));
    const all = [1, 2].map(() => flights.join("a", fail, forever));
    for (const each of await Promise.allSettled(all)) assert.equal(each.status, "rejected");
    assert.equal(await flights.join("a", async () => 1, forever), 1);
  });

  it("go on where their callers have gone, and do not begin where they went before", async () => {
    const flights = new Flights<string>(options);
    const { promise, resolve } = Promise.withResolvers<string>();
    const leaving = new AbortController();
    const first = flights.join("first", () => promise, leaving);
    const begun: string[] = [];
    const second = flights.join("second", async () => String(begun.push("second")), leaving);
    const third = flights.join("third", async () => String(begun.push("third")), forever);
    leaving.abort(new StillageError("cancelled", "gone"));
    await assert.rejects(first, { code: "cancelled" });
    await assert.rejects(second, { code: "cancelled" });
    const again = flights.join("first", () => assert.fail("it runs already"), forever);
    resolve("done");
    assert.equal(await again, "done");
    await third;
    assert.deepEqual(begun, ["third"]);
  });

  it("take no more than they can keep waiting", async () => {
    const flights = new Flights<void>(options);
    const { promise, resolve } = Promise.withResolvers<void>();
    const all = ["a", "b", "c"].map((key) => flights.join(key, () => promise, forever));
    await assert.rejects(
      flights.join("d", () => promise, forever),
      { code: "unavailable", retryAfterMs: 1000 },
    );
    all.push(flights.join("a", () => promise, forever));
    resolve();
    await Promise.all(all);
  });

  it("leave room for others than the one client that asks for more than his share", async () => {
    const flights = new Flights<string>({ slots: 4, maxWaiting: 8, timeoutMs: 60_000 });
    const { promise, resolve } = Promise.withResolvers<string>();
    const greedy = { ...forever, client: "greedy" };
    const all = [1, 2, 3, 4, 5].map((key) => flights.join(`greedy ${key}`, () => promise, greedy));
    await assert.rejects(
      flights.join("greedy 6", () => promise, greedy),
      { code: "unavailable" },
    );
    assert.equal(flights.running, 3);
    assert.equal(await flights.join("other", async () => "done", { ...forever, client: "other" }), "done");
    const local = [1, 2, 3].map((key) => flights.join(`local ${key}`, () => promise, forever));
    assert.equal(flights.running, 4);
    resolve("done");
    await Promise.all([...all, ...local]);
  });

  it("forget at once what nobody waits for any more, before it has begun", async () => {
    const flights = new Flights<string>(options);
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = flights.join("first", () => promise, forever);
    for (let i = 0; i < 10; i++) {
      const leaving = new AbortController();
      const all = ["a", "b"].map((key) => flights.join(key, () => assert.fail("it begins"), leaving));
      leaving.abort(new StillageError("cancelled", "gone"));
      for (const each of await Promise.allSettled(all)) assert.equal(each.status, "rejected");
    }
    const again = flights.join("a", async () => "begun anew", forever);
    resolve("done");
    assert.deepEqual(await Promise.all([first, again]), ["done", "begun anew"]);
  });

  it("are not for who wants what begins later, unless they have yet to begin", async () => {
    let now = 1000;
    const flights = new Flights<number>({ ...options, slots: 2, clock: () => now });
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = async () => {
      const begun = now;
      await promise;
      return begun;
    };
    const all = [flights.join("a", work, forever)];
    now = 2000;
    all.push(flights.join("a", work, { ...forever, notBefore: 1000 }));
    all.push(flights.join("a", work, { ...forever, notBefore: 1001 }));
    now = 3000;
    all.push(flights.join("a", work, forever));
    all.push(flights.join("a", work, { ...forever, notBefore: 2500 }));
    all.push(flights.join("a", work, { ...forever, notBefore: 2500 }));
    resolve();
    assert.deepEqual(await Promise.all(all), [1000, 1000, 2000, 2000, 3000, 3000]);
  });

  it("have a time limit", async () => {
    const flights = new Flights<void>({ ...options, timeoutMs: 1 });
    const until = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await assert.rejects(flights.join("a", until, forever), { code: "deadline" });
  });

  it("are broken off at the end, those that wait included", async () => {
    const flights = new Flights<void>(options);
    const until = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const all = ["a", "b"].map((key) => flights.join(key, until, forever));
    const settled = Promise.allSettled(all);
    await breath();
    await flights.close();
    for (const each of await settled) {
      assert.equal(each.status === "rejected" && (each.reason as StillageError).code, "unavailable");
    }
    await assert.rejects(flights.join("c", until, forever), { code: "unavailable" });
  });
});
