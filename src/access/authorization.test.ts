import assert from "node:assert/strict";
import { test } from "node:test";
import { secretOf } from "./authorization.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

test("a bearer token and the password of HTTP Basic are the same secret, whoever the user is", () => {
  for (const [header, secret] of [
    ["Bearer stillage_a-b_c", "stillage_a-b_c"],
    ["bearer  a.b.c", "a.b.c"],
    [basic("ci:stillage_x"), "stillage_x"],
    [basic(":stillage_x"), "stillage_x"],
    [basic("ci:with:colon"), "with:colon"],
  ] as const) {
    assert.equal(secretOf(header), secret, header);
  }
});

test("anything else is no secret", () => {
  for (const header of [
    "",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    basic("nobody"),
    basic("ci:"),
    "Digest x",
    "x",
    "Basic %",
  ]) {
    assert.equal(secretOf(header), undefined, header);
  }
  assert.equal(secretOf(`Bearer ${"a".repeat(20_000)}`), undefined, "longer than any token");
});
