import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, emptyDigest, keyOfDigest, parseDigest, sameDigest } from "./digest.ts";
import { blake3, digestFunctions, functionOfHexLength, sha256 } from "./digest-function.ts";
import { runningHash } from "./hash.ts";

for (const fn of digestFunctions) {
  test(`${fn.name}: its constants are those of the real hash`, () => {
    const hash = runningHash(fn).digest("hex");
    assert.deepEqual([fn.emptyHash, fn.hexLength, fn.words * 8], [hash, hash.length, hash.length]);
    assert.ok(sameDigest(digestOf(fn, new Uint8Array(0)), emptyDigest(fn)));
  });

  test(`${fn.name}: a digest is told by its hash's length, or named`, () => {
    const digest = digestOf(fn, Buffer.from("stillage"));
    assert.deepEqual(parseDigest(digest.hash, 8n, fn), digest);
    const unnamed = parseDigest(digest.hash, 8);
    assert.deepEqual(unnamed, { ...digest, function: functionOfHexLength(fn.hexLength) });
  });
}

const hash = "a".repeat(64);
const bad: Record<string, [string, number | bigint]> = {
  "no hash": ["", 5],
  "a hash of no known length": ["abcd", 5],
  capitals: [hash.toUpperCase(), 5],
  "no hex": ["g".repeat(64), 5],
  "a negative size": [hash, -1],
  "a broken size": [hash, 1.5],
  "an unsafe size": [hash, 2n ** 60n],
  "a size of 0 for a hash of something": [hash, 0],
};

for (const [what, [text, size]] of Object.entries(bad)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => parseDigest(text, size), { code: "invalid" });
  });
}

test("refuses another function's hash", () => {
  assert.throws(() => parseDigest("a".repeat(40), 5, sha256), { code: "invalid" });
});

test("a hash of 64 digits is of SHA-256 unless BLAKE3 is named", () => {
  assert.equal(parseDigest(hash, 5).function, sha256);
  const [one, other] = [parseDigest(hash, 5), parseDigest(hash, 5, blake3)];
  assert.ok(!sameDigest(one, other) && keyOfDigest(one) !== keyOfDigest(other));
});
