import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isCompressible } from "./compressible.ts";
import { blockBytes, deflated, deflatedBlocks } from "./deflate.ts";

/** Bytes in which deflate finds nothing. */
function dense(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 64) bytes.write(hash("sha512", `${at}`, "latin1"), at, "latin1");
  return bytes;
}

async function* inPieces(content: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
}

async function blocksOf(content: Uint8Array, pieceBytes = 100_000): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  for await (const block of deflatedBlocks(inPieces(content, pieceBytes), 6)) blocks.push(block);
  return Buffer.concat(blocks);
}

test("blocks make one stream, whatever their number and content", async () => {
  const text = Buffer.from("the same words, again and again, ".repeat(150_000));
  for (const length of [0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 4 * blockBytes + 7]) {
    for (const content of [text.subarray(0, length), Buffer.concat([dense(70_000), text]).subarray(0, length)]) {
      assert.equal(Buffer.compare(inflateRawSync(await blocksOf(content)), content), 0, `${length} bytes`);
    }
  }
  // Blocks know what came before them: dense content that comes again is found, within the window.
  const again = Buffer.concat([text.subarray(0, blockBytes - 20_000), dense(20_000), dense(20_000)]);
  assert.ok((await blocksOf(again)).length < 20_000 + 10_000);
});

test("what is deflated is there again when it is inflated", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 20_000 }), fc.integer({ min: 1, max: 9 }), async (content, level) => {
      assert.equal(Buffer.compare(inflateRawSync(await deflated(content, level)), content), 0);
    }),
    { numRuns: 50 },
  );
});

test("many at a time do not come into each other's way", async () => {
  const text = Buffer.from(Array.from({ length: 150_000 }, (_, i) => `word ${i} `).join(""));
  const contents = Array.from({ length: 40 }, (_, i) =>
    (i % 2 ? text : dense(blockBytes)).subarray(i * 25_000, blockBytes),
  );
  const all = await Promise.all(contents.map((content, i) => deflated(content, 5 + (i % 3))));
  for (const [i, bytes] of all.entries()) {
    assert.equal(Buffer.compare(inflateRawSync(bytes), contents[i] as Buffer), 0, `${i}`);
  }
});

test("tells what is worth the time", () => {
  assert.ok(!isCompressible(dense(10_000)));
  assert.ok(isCompressible(Buffer.from("text ".repeat(2000))));
  assert.ok(isCompressible(dense(1000)), "too little to tell");
});
