import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { globMatches } from "./glob.ts";

test("a glob means what SQLite's means", () => {
  const database = new DatabaseSync(":memory:");
  const glob = database.prepare("SELECT ? GLOB ? AS matches");
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "😀"), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (p, t) => {
      assert.equal(globMatches(p, t), glob.get(t, p)?.matches === 1);
    }),
  );
  database.close();
});

test("many stars take no time", () => {
  assert.equal(globMatches(`${"a*".repeat(100)}b`, "a".repeat(4000)), false);
});
