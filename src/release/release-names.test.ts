import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMetadata } from "./commit-metadata.ts";
import { checkBranch, checkBranches, checkRepositoryName, checkVersion } from "./release-names.ts";

const invalid = { code: "invalid" };

describe("names of releases", () => {
  it("are what OSTree and file systems can have", () => {
    for (const name of ["os", "platform-2", "_x.y"]) assert.equal(checkRepositoryName(name), name);
    for (const name of ["", ".", "..", "a/b", "-a", "a b", "x".repeat(65)]) {
      assert.throws(() => checkRepositoryName(name), invalid, name);
    }
    for (const name of ["os", "os/x86_64/stable", "1.2/3-4"]) assert.equal(checkBranch(name), name);
    for (const name of ["", "/os", "os/", "os//x", "../x", "os/..", "os/.x", "ö", "x".repeat(256)]) {
      assert.throws(() => checkBranch(name), invalid, name);
    }
    for (const version of ["1.0", "24.08 beta", "ü"]) assert.equal(checkVersion(version), version);
    for (const version of ["", " 1", "1\n", "1\u202e", "x".repeat(129)])
      assert.throws(() => checkVersion(version), invalid);
  });

  it("of one release go together", () => {
    assert.deepEqual(checkBranches(["a", "b", "a"]), ["a", "b"]);
    assert.throws(() => checkBranches([]), invalid);
    assert.throws(() => checkBranches(["a/b", "a"]), { code: "invalid", message: /a and a\/b cannot both exist/ });
  });

  it("of metadata are not those that mean something", () => {
    assert.deepEqual(parseMetadata(["b=1=2", "a.b="]), { "a.b": "", b: "1=2" });
    const bad = ["x", "=1", "1a=2", "version=1", "ostree.x=1", "stillage.x=1", "a=\0"];
    for (const pair of bad) assert.throws(() => parseMetadata([pair]), invalid, pair);
    assert.throws(() => parseMetadata(["a=1", "a=2"]), invalid);
  });
});
