import assert from "node:assert/strict";
import { createHash, hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { chunkSizes, FastCdc } from "./fast-cdc.ts";

function lengths(bytes: Uint8Array, average: number): number[] {
  const cdc = new FastCdc(chunkSizes(average));
  const found: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = cdc.cut(bytes, at, bytes.length);
    found.push(end - at);
    at = end;
  }
  return found;
}

/**
 * Where the Go program that remote_execution.proto names as one of two references (buildbuddy-io/fastcdc2020) cuts the first bytes of the SHAKE128
 * stream of "fast-cdc": by average and length.
 */
const reference: readonly [average: number, length: number, chunks: number[]][] = [
  [1 << 10, 20_001, [1775, 1357, 1075, 1201, 1358, 1339, 818, 2051, 1460, 1348, 726, 1284, 1473, 1329, 1107, 300]],
  [1 << 12, 60_000, [5908, 5149, 5517, 4505, 7637, 4188, 6994, 1090, 5069, 5477, 5458, 3008]],
  [1 << 16, 1_000_001, [82165, 68441, 66715, 34165, 146184, 35434, 70310, 42765, 87000, 127383, 76771, 80840, 81828]],
  [
    1 << 19,
    12_000_001,
    [
      546179, 832264, 577739, 734630, 756418, 799722, 587740, 787136, 260865, 516115, 830351, 624231, 534027, 233394,
      731131, 618323, 565216, 558054, 150634, 755832,
    ],
  ],
  [
    1 << 20,
    12_000_001,
    [546179, 1326420, 1202967, 1171386, 1490436, 661420, 1514419, 707584, 1193822, 1280246, 905122],
  ],
];

test("cuts where the reference cuts", () => {
  const stream = createHash("shake128", { outputLength: 12_000_001 }).update("fast-cdc").digest();
  for (const [average, length, chunks] of reference) {
    assert.deepEqual(lengths(stream.subarray(0, length), average), chunks, `an average of ${average}`);
  }
});

/** The algorithm as the paper has it, a byte at a time and with whole numbers of 64 bits, for an average of 1 KiB. */
function plainLengths(bytes: Uint8Array): number[] {
  const gear = Array.from({ length: 256 }, (_, byte) =>
    hash("md5", Buffer.alloc(64, byte), "buffer").readBigUInt64BE(0),
  );
  const found: number[] = [];
  for (let start = 0; start < bytes.length; start += found.at(-1) ?? 0) {
    const left = Math.min(bytes.length - start, 4096);
    let length = left;
    let print = 0n;
    for (let i = 256; i < left - (left % 2) && length === left; i++) {
      print = BigInt.asUintN(64, (print << 1n) + (gear[bytes[start + i] as number] as bigint));
      if ((print & (i < 1024 ? 0xd90103530000n : 0x1800035300n)) === 0n) length = i;
    }
    found.push(length);
  }
  return found;
}

test("is the algorithm in whole numbers of 64 bits", () => {
  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 20_000, size: "max" }),
    // Few different bytes, and the same again and again, reach the largest size.
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.nat(20_000))
      .map(([piece, n]) => Buffer.alloc(n, piece)),
    fc
      .tuple(fc.nat(0xffffffff), fc.nat(60_000))
      .map(([seed, outputLength]) => createHash("shake128", { outputLength }).update(String(seed)).digest()),
  );
  fc.assert(fc.property(someBytes, (bytes) => assert.deepEqual(lengths(bytes, 1024), plainLengths(bytes))));
});

test("what stands before and behind a blob in the buffer changes nothing", () => {
  const bytes = createHash("shake128", { outputLength: 9000 }).update("around").digest();
  const around = Buffer.concat([Buffer.alloc(777, 1), bytes, Buffer.alloc(500, 2)]);
  const cdc = new FastCdc(chunkSizes(1024));
  let at = 777;
  for (const length of lengths(bytes, 1024)) {
    assert.equal(cdc.cut(around, at, 777 + bytes.length), at + length);
    at += length;
  }
});

test("one byte more at the front moves few of the chunks", () => {
  const bytes = createHash("shake128", { outputLength: 400_000 }).update("shifted").digest();
  const chunksOf = (of: Buffer): Set<string> => {
    let at = 0;
    return new Set(
      lengths(of, 4096).map((length) => {
        at += length;
        return hash("sha1", of.subarray(at - length, at));
      }),
    );
  };
  const [before, after] = [chunksOf(bytes), chunksOf(Buffer.concat([Buffer.of(7), bytes]))];
  assert.ok([...after].filter((each) => !before.has(each)).length <= 3);
});

for (const sizes of [chunkSizes(512), chunkSizes(1 << 21), chunkSizes(5000), { average: 1024, min: 1024, max: 4096 }]) {
  test(`refuses sizes of ${sizes.min}, ${sizes.average} and ${sizes.max}`, () => {
    assert.throws(() => new FastCdc(sizes), { code: "invalid" });
  });
}
