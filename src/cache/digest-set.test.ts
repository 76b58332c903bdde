import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf, showDigest } from "../base/digest.ts";
import { digestFunctions } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { DigestSet } from "./digest-set.ts";

test("a DigestSet keeps each digest once, in the order in which they came", () => {
  fc.assert(
    fc.property(fc.constantFrom(...digestFunctions), fc.array(fc.nat(400), { maxLength: 1000 }), (fn, numbers) => {
      const set = new DigestSet(fn);
      const list = new DigestList(fn);
      for (const [i, number] of numbers.entries()) {
        list.push(digestOf(fn, Buffer.from(`${number}`)));
        set.add(list, i);
      }
      const expected = [...new Set(numbers.map((_, i) => showDigest(list.at(i))))];
      const found = Array.from({ length: set.items.length }, (_, i) => showDigest(set.items.at(i)));
      assert.deepEqual(found, expected);
    }),
  );
});

test("digests of one hash and different sizes are different", () => {
  const [fn] = digestFunctions;
  assert.ok(fn);
  const list = new DigestList(fn);
  const digest = digestOf(fn, Buffer.from("x"));
  for (const size of [1, 2, 1]) list.push({ ...digest, size });
  const set = new DigestSet(fn);
  for (let i = 0; i < list.length; i++) set.add(list, i);
  assert.equal(set.items.length, 2);
});
