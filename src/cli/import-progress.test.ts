import assert from "node:assert/strict";
import { test } from "node:test";
import { Outcome } from "../import/outcome.ts";
import { progressLine } from "./import-progress.ts";

test("a line says what is done and how far it is", () => {
  const outcome = new Outcome(["bst1"], []);
  assert.equal(progressLine(outcome), "looking at what is there");
  outcome.begin("names", 200);
  outcome.steps = 51;
  outcome.blobs.taken = 7000;
  outcome.blobs.takenBytes = 12_300_000;
  assert.equal(progressLine(outcome), "names: 51 of 200 (25 %); 7000 blobs taken, 12 MB");
  outcome.begin("blobs", 0);
  assert.match(progressLine(outcome), /^blobs: 0 of 0 \(100 %\)/);
});
