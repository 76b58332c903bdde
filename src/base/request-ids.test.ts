import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestIds } from "./request-ids.ts";

describe("request ids", () => {
  it("are those that clients bring", () => {
    const ids = new RequestIds("p");
    for (const given of [
      "a",
      "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
      "Root=1-67891233-abcdef:x/y_z+w@v",
      "x".repeat(128),
    ])
      assert.equal(ids.of(given), given);
  });

  it("are made where a client brings none that can be shown", () => {
    const ids = new RequestIds("p");
    const bad = [undefined, "", "a b", "a, b", 'a"b', "a\nb", "ä", "a%0a", "x".repeat(129)];
    const made = bad.map((given) => ids.of(given));
    assert.deepEqual(made.slice(0, 3), ["p-1", "p-2", "p-3"]);
    assert.equal(new Set(made).size, bad.length);
  });

  it("differ between processes", () => {
    assert.notEqual(new RequestIds().of(undefined), new RequestIds().of(undefined));
    assert.match(new RequestIds().of(undefined), /^[0-9a-f]{10}-1$/);
  });
});
