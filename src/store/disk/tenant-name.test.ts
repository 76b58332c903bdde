import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { directoryOfTenant, tenantOfDirectory } from "./tenant-name.ts";

describe("directoryOfTenant", () => {
  it("keeps plain names readable", () => {
    assert.equal(directoryOfTenant("main"), "main");
    assert.equal(directoryOfTenant("team/linux x86"), "team%2Flinux%20x86");
    assert.equal(directoryOfTenant(""), "@");
    assert.equal(directoryOfTenant(".."), "%2E.");
  });

  it("gives every name one file name of its own, and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (name) => {
        const directory = directoryOfTenant(name);
        assert.match(directory, /^(@|[A-Za-z0-9%_-][A-Za-z0-9%_.-]*)$/);
        assert.equal(tenantOfDirectory(directory), name);
      }),
    );
  });

  it("refuses names that no file system takes", () => {
    assert.throws(() => directoryOfTenant("x".repeat(256)), { code: "invalid" });
  });

  it("knows what it did not make", () => {
    for (const name of ["a b", "%2f", "%41", "", ".git", "@@", "%zz"]) assert.equal(tenantOfDirectory(name), undefined);
  });
});
