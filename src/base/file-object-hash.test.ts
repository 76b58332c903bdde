import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hashAtOnce, isHashedAtOnce, RunningFileObjectHash } from "./file-object-hash.ts";
import { filezOf, filezOfSize, filezOfZeros } from "./filez.fixture.ts";
import { fileChecksum, fileType, filezHead } from "./ostree-file.ts";

/** A file without content whose header has so many bytes of extended attributes. */
function withAttribute(size: number): { hash: string; bytes: Buffer } {
  const xattrs = [{ name: Buffer.from("user.a\0"), value: Buffer.alloc(size, 7) }];
  const header = { uid: 0, gid: 0, mode: fileType | 0o644, symlink: "", xattrs };
  return {
    hash: fileChecksum(header).digest("hex"),
    bytes: Buffer.concat([filezHead(header, 0), Buffer.from([3, 0])]),
  };
}

describe("hashing file objects at once", () => {
  it("takes those whose content is in proportion to their bytes", () => {
    for (const { hash, bytes } of [
      filezOfSize(5000),
      filezOfSize(900_000),
      filezOfZeros(60_000),
      withAttribute(3000),
    ]) {
      assert.equal(isHashedAtOnce(bytes), true);
      assert.equal(hashAtOnce(bytes), hash);
    }
  });

  it("leaves others to a running hash", async () => {
    for (const { hash, bytes } of [
      filezOfZeros(100_000),
      filezOfZeros(8 << 20),
      filezOfSize(1_100_000),
      withAttribute(5000),
    ]) {
      assert.equal(isHashedAtOnce(bytes), false);
      assert.equal(hashAtOnce(bytes), undefined);
      const running = new RunningFileObjectHash();
      await running.update(bytes);
      assert.equal(await running.digest(), hash);
    }
  });

  it("finds no hash for what is no file object", () => {
    const whole = filezOf(Buffer.from("hello\n"), 6);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(100, 255),
      whole.subarray(0, -1),
      Buffer.concat([whole, whole]),
    ]) {
      assert.equal(isHashedAtOnce(bytes), true);
      assert.equal(hashAtOnce(bytes), undefined);
    }
  });
});
