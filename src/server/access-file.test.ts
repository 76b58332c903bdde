import assert from "node:assert/strict";
import { test } from "node:test";
import { linesIn } from "./access-file.ts";

test("lines are counted, however many are written at a time", () => {
  assert.deepEqual(["", "{}\n", "{}\n{}\n{}\n"].map(linesIn), [0, 1, 3]);
});
