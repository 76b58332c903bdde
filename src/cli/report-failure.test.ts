import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { asStillageError, fromFileSystem, StillageError } from "../base/errors.ts";
import { whatFailed } from "./report-failure.ts";

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

test("errors of the system are told in words, with their code and what they are about", () => {
  const absent = thrownBy(() => readFileSync("/nowhere/file"));
  assert.equal(whatFailed(asStillageError(absent)), "open /nowhere/file: no such file or directory (ENOENT)");
  const words = [
    ["reading /nowhere/file", "reading /nowhere/file: no such file or directory (ENOENT)"],
    ["reading it", "reading it: no such file or directory (ENOENT: open '/nowhere/file')"],
  ] as const;
  for (const [what, told] of words) assert.equal(whatFailed(fromFileSystem(absent, what)), told);
});

test("other errors are told as they are", () => {
  assert.equal(whatFailed(new StillageError("exists", "it is there")), "it is there");
  assert.equal(whatFailed(asStillageError(new TypeError("x is no y"))), "TypeError: x is no y");
});
