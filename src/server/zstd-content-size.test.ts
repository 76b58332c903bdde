import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { zstdContentSize } from "./zstd-content-size.ts";

test("the header of a frame tells the size of its content, whatever its length", () => {
  for (const size of [0, 1, 255, 256, 257, 65_535, 65_791, 65_792, 1_000_000]) {
    const frame = zstdCompressSync(Buffer.alloc(size, "text"));
    assert.equal(zstdContentSize(frame), size);
    assert.equal(zstdContentSize(frame.subarray(0, 18)), size, "the first bytes are enough");
  }
});

test("a frame without a size, and what is no frame, tell none", () => {
  const params = { [constants.ZSTD_c_contentSizeFlag]: 0 };
  assert.equal(zstdContentSize(zstdCompressSync(Buffer.alloc(1000), { params })), undefined);
  for (const bytes of [[], [0x28], [0x28, 0xb5, 0x2f, 0xfd, 0x60], [1, 2, 3, 4, 5, 6, 7, 8]])
    assert.equal(zstdContentSize(Uint8Array.from(bytes)), undefined);
});

test("any bytes are a size or none", () => {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.boolean(), (bytes, framed) => {
      const size = zstdContentSize(framed ? Uint8Array.from([...magic, ...bytes]) : bytes);
      assert.ok(size === undefined || (Number.isSafeInteger(size) && size >= 0));
    }),
  );
});
