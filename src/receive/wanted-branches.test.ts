import assert from "node:assert/strict";
import { test } from "node:test";
import { wantedBranches } from "./wanted-branches.ts";

const pushed = new Map(
  ["b", "a/x", "appstream/x86_64", "appstream2/x86_64", "ostree-metadata", "appstreams"].map((each) => [each, 1]),
);

test("no names mean all branches but those that are generated", () => {
  assert.deepEqual(wantedBranches([], pushed), ["a/x", "appstreams", "b"]);
  assert.deepEqual(wantedBranches([], new Map()), []);
});

test("names mean those, each once; a generated one is left out also where it is named", () => {
  assert.deepEqual(wantedBranches(["b", "a/x", "b"], pushed), ["a/x", "b"]);
  assert.deepEqual(wantedBranches(["ostree-metadata", "appstream/x86_64"], pushed), []);
});

test("every name that the pusher does not have is told", () => {
  assert.throws(() => wantedBranches(["b", "c", "d"], pushed), { code: "not-found", message: /no "c", "d"$/ });
});
