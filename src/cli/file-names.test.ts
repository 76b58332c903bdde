import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FileNames } from "./file-names.ts";

test("names from outside become names of files", () => {
  const names = new FileNames();
  assert.deepEqual(
    ["build.log", "../../evil.log", "..-..-evil.log", "", ".", "a\0b", "build.log"].map((text) => names.take(text)),
    ["build.log", "log-..-..-evil.log", "log-..-..-evil.log-2", "log-", "log-.", "ab", "build.log-2"],
  );
  assert.equal(names.take("建".repeat(100)), "建".repeat(85));
  assert.equal(names.take("建".repeat(101)), `${"建".repeat(84)}-2`);
  assert.equal(names.take("x".repeat(300), "-key"), `${"x".repeat(251)}-key`);
});

test("no two are alike, and none is too long", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 300 })), (texts) => {
      const names = new FileNames();
      const all = texts.map((text) => names.take(text));
      assert.equal(new Set(all).size, texts.length);
      for (const name of all) assert.ok(Buffer.byteLength(name) <= 255 && !name.includes("/") && !name.startsWith("."));
    }),
    { numRuns: 20 },
  );
});
