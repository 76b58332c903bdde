import assert from "node:assert/strict";
import { test } from "node:test";
import { checked } from "./checking.fixture.ts";
import { instanceName } from "./instance-name.ts";

test("instance names are segments without a meaning of their own", () => {
  for (const text of ["", "main", "team/os", "a/b/c", "blob", "x.y-z_1", "größe", "Blobs", "x".repeat(80)]) {
    assert.deepEqual(checked(instanceName, text), { value: text }, text);
  }
  const reserved = ["blobs", "a/blobs", "uploads/b", "actions", "actionResults", "operations", "capabilities"];
  const wrong = [
    "/",
    "/a",
    "a/",
    "a//b",
    "a b",
    "a\n",
    "a\u0000",
    "a/compressed-blobs/zstd",
    "x".repeat(81),
    "ä".repeat(41),
  ];
  for (const text of [...reserved, ...wrong, 7, null]) {
    assert.ok("findings" in checked(instanceName, text), String(text));
  }
});
