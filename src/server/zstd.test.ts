import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { decompress, maxDecoders } from "./zstd.ts";

const plain = Buffer.alloc(10_000, "stillage ");
const packed = zstdCompressSync(plain);

test("takes frames, and refuses what follows them", async () => {
  assert.deepEqual(await decompress(packed, plain.length), plain);
  const twice = Buffer.concat([packed, packed]);
  assert.deepEqual(await decompress(twice, plain.length * 2), Buffer.concat([plain, plain]));
  for (const behind of [Buffer.of(0), Buffer.from("and more")]) {
    await assert.rejects(decompress(Buffer.concat([packed, behind]), plain.length), { code: "invalid" });
  }
});

test("no more than some decoders are at work", async () => {
  let begun = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === "ZLIB") begun++;
    },
  }).enable();
  try {
    const all = Array.from({ length: 100 }, () => decompress(packed, plain.length));
    assert.equal(begun, maxDecoders);
    await Promise.all(all);
    assert.equal(begun, 100);
  } finally {
    hook.disable();
  }
});
