import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dictionary } from "../base/gvariant/value.ts";
import { readUpdates } from "./update.ts";

test("an update says from which commit to which, where the pusher knows that", () => {
  const [zeros, a, b] = ["0", "a", "b"].map((digit) => digit.repeat(64)) as [string, string, string];
  const args: Dictionary = [
    ["p/e/1", { type: "(ss)", value: [zeros, a] }],
    ["p/e/2", { type: "(ss)", value: [b, a] }],
  ];
  assert.deepEqual(
    readUpdates(args),
    new Map([
      ["p/e/1", { to: a }],
      ["p/e/2", { to: a, from: b }],
    ] as const),
  );
  for (const bad of [
    { type: "(ss)", value: [zeros, "a"] },
    { type: "(ss)", value: ["", a] },
    { type: "(ss)", value: [zeros, a.toUpperCase()] },
    { type: "s", value: a },
    { type: "as", value: [zeros, a] },
  ]) {
    assert.throws(() => readUpdates([["p/e/1", bad]]), { code: "invalid" });
  }
  assert.throws(() => readUpdates([...args, ...args]), { code: "invalid" });
});
