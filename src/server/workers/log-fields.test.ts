import assert from "node:assert/strict";
import { test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { fieldsOfSent, sentFields } from "./log-fields.ts";

const overThere = (fields: object) =>
  fieldsOfSent(structuredClone(sentFields(fields))) as { readonly [name: string]: unknown };

test("an error arrives with what it says, and what is underneath", () => {
  const cause = Object.assign(new TypeError("the disk fails"), { code: "EIO" });
  const err = new StillageError("corrupt", "it is broken", { hint: "store it again", cause });
  const { err: got, call } = overThere({ err, call: "Read" });
  assert.ok(got instanceof StillageError && got.cause instanceof Error);
  assert.deepEqual([call, got.code, got.message, got.hint], ["Read", "corrupt", "it is broken", "store it again"]);
  assert.equal(got.stack, err.stack);
  assert.equal(got.cause.stack, cause.stack);
  assert.deepEqual({ ...got.cause }, { code: "EIO", name: "TypeError" });
});

test("what cannot be copied takes nothing else along", () => {
  const round: { self?: object } = {};
  round.self = round;
  const err = new Error("broken", { cause: () => 1 });
  const got = overThere({ err, round, now: () => 1, big: 5n, list: [1, "a"], none: undefined });
  assert.equal((got.err as Error).message, "broken");
  const { err: _, ...others } = got;
  assert.deepEqual(others, { round: "[object Object]", now: "() => 1", big: 5n, list: [1, "a"], none: undefined });
});
