import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StillageError } from "../base/errors.ts";
import { minBytes, Pace, whileSeconds } from "./pace.ts";

function setUp() {
  const errors: StillageError[] = [];
  const pace = new Pace((error) => errors.push(error));
  const seconds = (count: number): void => {
    for (let i = 0; i < count; i++) pace.tick();
  };
  return { pace, seconds, errors };
}

describe("the pace of an origin", () => {
  it("is enough where so much comes in each while", () => {
    const { pace, seconds, errors } = setUp();
    for (let i = 0; i < 10; i++) {
      seconds(whileSeconds - 1);
      pace.took(minBytes);
    }
    assert.deepEqual(errors, []);
  });

  it("is not where it falls silent, or sends drops; that is said once", () => {
    for (const bytes of [0, 1]) {
      const { pace, seconds, errors } = setUp();
      pace.took(minBytes);
      for (let i = 0; i < 3 * whileSeconds; i++) {
        pace.took(bytes);
        seconds(1);
      }
      assert.deepEqual(
        errors.map(({ code }) => code),
        ["deadline"],
      );
    }
  });

  it("does not count the time in which nobody reads", async () => {
    const { pace, seconds, errors } = setUp();
    seconds(whileSeconds - 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    const aside = pace.aside(promise);
    seconds(10 * whileSeconds);
    assert.deepEqual(errors, []);
    resolve();
    await aside;
    seconds(1);
    assert.equal(errors.length, 1);
  });
});
