import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import { Expansion } from "./expansion.ts";
import { MessageMemory } from "./message-memory.ts";

const zeros = (bytes: number): Buffer => gzipSync(Buffer.alloc(bytes));

/** A gzip that states another length than it has. */
function lying(bytes: number, stated: number): Buffer {
  const gzip = zeros(bytes);
  gzip.writeUInt32LE(stated, gzip.length - 4);
  return gzip;
}

test("messages of all lengths become what they were", async () => {
  const memory = new MessageMemory(1 << 20).connection();
  for (const length of [0, 1, 63, 64, 65, 16_384, 100_000]) {
    const plain = Buffer.from(Array.from({ length }, (_, i) => i % 251));
    const expansion = new Expansion(gzipSync(plain), 100_000, memory);
    assert.equal(memory.reserved, length);
    assert.deepEqual(await expansion.plain, plain);
    expansion.release();
    assert.equal(memory.reserved, 0);
  }
});

test("what is no gzip, too long or lies is refused", async () => {
  const memory = new MessageMemory(1 << 20).connection();
  const table: [name: string, bytes: Buffer, code: string][] = [
    ["nothing", Buffer.alloc(0), "invalid"],
    ["text", Buffer.from("some text that is long enough"), "invalid"],
    ["a gzip cut off", zeros(5000).subarray(0, 20), "exhausted"],
    ["a gzip with a byte wrong", Buffer.concat([zeros(500).subarray(0, 12), zeros(500).subarray(13)]), "invalid"],
    ["too long", zeros(10_001), "exhausted"],
    ["longer than it states", lying(5_000_000, 100), "invalid"],
    ["shorter than it states", lying(100, 5000), "invalid"],
  ];
  for (const [name, bytes, code] of table) {
    const expansion = new Expansion(bytes, 10_000, memory);
    await assert.rejects(expansion.plain, { code }, name);
    expansion.release();
    assert.equal(memory.reserved, 0, name);
  }
});

test("messages wait for memory, and one that is given up lets others pass", async () => {
  const memory = new MessageMemory(10_000).connection();
  const [first, second, third] = [9000, 8000, 7000].map((bytes) => new Expansion(zeros(bytes), 10_000, memory)) as [
    Expansion,
    Expansion,
    Expansion,
  ];
  assert.equal((await first.plain).length, 9000);
  assert.equal(memory.reserved, 9000);
  const reason = new StillageError("cancelled", "gone");
  second.giveUp(reason);
  await assert.rejects(second.plain, reason);
  second.release();
  assert.equal(memory.reserved, 9000);
  first.release();
  assert.equal((await third.plain).length, 7000);
  third.release();
  assert.equal(memory.reserved, 0);
});
