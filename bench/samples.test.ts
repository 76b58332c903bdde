import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseRows, type Row } from "./rows.ts";
import { median, ratio, reaches, type Sample } from "./samples.ts";

const [row] = chooseRows("latency-find") as [Row];

function samples(server: string, ...values: readonly (number | undefined)[]): Sample[] {
  return values.map((value, at) => ({
    row: row.id,
    server,
    round: at + 1,
    ...(value === undefined ? { error: "it failed" } : { value }),
  }));
}

test("a median is the middle value, or the mean of the two", () => {
  assert.equal(median([]), undefined);
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([4, 1]), 2.5);
});

test("a ratio compares within a round only", () => {
  const both = [...samples("stillage", 50, 200, 30), ...samples("casd", 100, 100, 100)];
  assert.equal(ratio(both, row, "stillage", "casd"), 0.5);
});

test("rounds in which one of the two failed do not count", () => {
  const both = [...samples("stillage", 50, 80, undefined), ...samples("casd", undefined, 100, 100)];
  assert.equal(ratio(both, row, "stillage", "casd"), 0.8);
  assert.equal(ratio(both, row, "stillage", "bazel-remote"), undefined);
});

test("a latency reaches its target from below, a rate from above", () => {
  assert.ok(reaches(row, 0.9, 0.9));
  assert.ok(!reaches(row, 0.91, 0.9));
  const [rate] = chooseRows("small-up") as [Row];
  assert.ok(reaches(rate, 3.5, 3.5));
  assert.ok(!reaches(rate, 3.4, 3.5));
});

test("rows are chosen by name, and a wrong name is answered with the right ones", () => {
  assert.ok(chooseRows(undefined).length < chooseRows("all").length);
  assert.throws(() => chooseRows("small-up,fast"), /no row is called fast; there are small-up, /);
});
