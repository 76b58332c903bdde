import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../base/errors.ts";
import { Flights } from "./flights.ts";

const options = { slots: 1, maxWaiting: 2, timeoutMs: 60_000 };
const forever = new AbortController().signal;
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
    const first = flights.join("first", () => promise, leaving.signal);
    const begun: string[] = [];
    const second = flights.join("second", async () => String(begun.push("second")), leaving.signal);
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
