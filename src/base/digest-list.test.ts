import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, emptyDigest } from "./digest.ts";
import { sha1, sha256 } from "./digest-function.ts";
import { DigestList, digestOfHex } from "./digest-list.ts";

test("keeps digests in order, beyond its first capacity", () => {
  const digests = Array.from({ length: 200 }, (_, i) => digestOf(sha256, Buffer.from(`blob ${i}`)));
  const list = new DigestList(sha256, 1);
  for (const [i, digest] of digests.entries()) {
    if (i % 2 === 0) list.push(digest);
    else assert.ok(list.pushHex(Buffer.from(`..${digest.hash}..`), 2, 66, digest.size));
  }
  assert.deepEqual(
    digests.map((_, i) => list.at(i)),
    digests,
  );
});

test("refuses what is no hash, and stays as it was", () => {
  const list = new DigestList(sha1, 0);
  const good = Buffer.from("a".repeat(40));
  assert.ok(list.pushHex(good, 0, 40, 1));
  for (const [text, size] of [
    ["A".repeat(40), 1],
    ["a".repeat(39), 1],
    [`${"a".repeat(39)}\u00ff`, 1],
    ["a".repeat(40), -1],
    ["a".repeat(40), Number.POSITIVE_INFINITY],
    ["a".repeat(40), Number.NaN],
    ["a".repeat(40), 0],
  ] as const) {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(list.pushHex(bytes, 0, bytes.length, size), false);
    assert.equal(digestOfHex(sha1, bytes, 0, bytes.length, size), undefined);
  }
  assert.equal(list.length, 1);
  assert.equal(list.at(0).hash, good.toString());
});

test("takes the empty blob, and a digest as a value from where it stands", () => {
  for (const digest of [emptyDigest(sha256), digestOf(sha256, Buffer.from("blob"))]) {
    const bytes = Buffer.from(`..${digest.hash}..`).subarray(1);
    const list = new DigestList(sha256);
    assert.ok(list.pushHex(bytes, 1, 65, digest.size));
    assert.deepEqual(list.at(0), digest);
    assert.deepEqual(digestOfHex(sha256, bytes, 1, 65, digest.size), digest);
  }
});
