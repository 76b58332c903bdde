import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "./deadlines.ts";

test("calls expire when their time has come, and not when they have ended", ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1000;
  const deadlines = new Deadlines(() => now);
  const expired: number[] = [];
  const pass = (ms: number): void => {
    now += ms;
    mock.timers.tick(ms);
  };
  const call = (deadline: number): { deadline: number; expire(): void } => ({
    deadline,
    expire: () => expired.push(deadline),
  });
  const [a, b, c, d] = [call(1300), call(1100), call(1200), call(1e12)] as const;
  for (const each of [a, b, c, d]) deadlines.add(each);
  pass(99);
  assert.deepEqual(expired, []);
  deadlines.remove(c);
  pass(1);
  assert.deepEqual(expired, [1100]);
  pass(150);
  assert.deepEqual(expired, [1100]);
  deadlines.add(call(1250));
  pass(1);
  assert.deepEqual(expired, [1100, 1250]);
  deadlines.add(call(1400));
  pass(1000);
  assert.deepEqual(expired, [1100, 1250, 1300, 1400]);
  deadlines.add(call(5000));
  deadlines.close();
  pass(10_000);
  assert.equal(expired.length, 4);
});
