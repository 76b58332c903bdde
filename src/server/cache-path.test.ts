import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCachePath } from "./cache-path.ts";

const hash = "a".repeat(64);

test("paths of results and blobs, with and without an instance", () => {
  for (const [path, instance, kind] of [
    [`/ac/${hash}`, "", "ac"],
    [`/cas/${hash}`, "", "cas"],
    [`/team/alpha/cas/${hash}`, "team/alpha", "cas"],
    [`/a%20b/ac/${hash}`, "a b", "ac"],
    [`/cas/cas/${hash}`, "cas", "cas"],
  ] as const) {
    const found = parseCachePath(path);
    assert.deepEqual(
      [found?.instance, found?.kind, found?.hash, found?.function.name],
      [instance, kind, hash, "sha256"],
    );
  }
  assert.equal(parseCachePath(`/cas/${"b".repeat(40)}`)?.function.name, "sha1");
});

test("other paths are none of them", () => {
  const others = ["/", "/ac", "/cas/", `/cas/${hash}/`, `/cas/${hash}0`, `/cas/${hash.toUpperCase()}`, `/xcas/${hash}`];
  for (const path of [
    ...others,
    `cas/${hash}`,
    `/%ff/cas/${hash}`,
    `/cas/${hash}?x`,
    `/${"x".repeat(2000)}/cas/${hash}`,
  ])
    assert.equal(parseCachePath(path), undefined, path);
});
