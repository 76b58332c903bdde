import assert from "node:assert/strict";
import { test } from "node:test";
import { elementGlobs, normalName, searchFor } from "./element-name.ts";

test("an element's file stands in names as BuildStream writes it", () => {
  for (const [file, name] of [
    ["base.bst", "base"],
    ["sub/deep+plus.bst", "sub-deep_plus"],
    ["components/gcc-1.2.bst", "components-gcc-1.2"],
    ["plain", "plain"],
    ["ü.bst", "_"],
  ] as const) {
    assert.equal(normalName(file), name);
  }
});

test("an element is looked for as it was said and as it is stored", () => {
  assert.deepEqual(elementGlobs("components/foo.bst"), ["components/foo.bst", "components-foo"]);
  assert.deepEqual(elementGlobs("j.bst:components/foo.bst"), ["j.bst:components/foo.bst", "components-foo"]);
  assert.deepEqual(elementGlobs("foo-1.2"), ["foo-1.2"]);
  assert.deepEqual(elementGlobs("components/*.bst"), ["components/*.bst", "components-*"]);
});

test("a text is a part of a name, or the beginning of a key", () => {
  assert.deepEqual(searchFor("abc"), { texts: ["abc"], key: "abc" });
  assert.deepEqual(searchFor("gcc"), { texts: ["gcc"], key: undefined });
  assert.deepEqual(searchFor("os/components/gcc.bst").texts.slice(0, 2), [
    "os/components/gcc.bst",
    "os/components-gcc",
  ]);
});
