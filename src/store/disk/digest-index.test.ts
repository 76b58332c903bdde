import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type DigestFunction, digestFunctions, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { DigestIndex, inFile } from "./digest-index.ts";

const seeds: readonly [number, number] = [0x1234567, 0xfedcba9];

function list(fn: DigestFunction, words: Uint32Array, size: number): DigestList {
  const one = new DigestList(fn, 1);
  one.words.set(words);
  one.sizes[0] = size;
  return one;
}

describe("DigestIndex", () => {
  it("behaves as a map under any sequence of insertions and removals", () => {
    const hold = fc.constantFrom("hold", "let go", undefined, undefined, undefined, undefined);
    const step = fc.record({ add: fc.boolean(), key: fc.nat({ max: 200 }), value: fc.nat(), hold });
    fc.assert(
      fc.property(fc.constantFrom(...digestFunctions), fc.array(step, { maxLength: 400 }), (fn, steps) => {
        const index = new DigestIndex(fn, seeds, 600);
        const model = new Map<number, number>();
        const freed = new Set<number>(); // while somebody holds the entries
        let holders = 0;
        for (const { add, key, value, hold } of steps) {
          if (hold === "hold") {
            index.hold();
            holders++;
          } else if (hold === "let go" && holders > 0) {
            index.letGo();
            if (--holders === 0) freed.clear();
          }
          // Few values of the first words: what meets in one place of the table is the case of interest.
          const words = Uint32Array.from({ length: fn.words }, (_, w) => (w < 2 ? key % 3 : key));
          const entry = index.find(words, 0);
          assert.equal(entry >= 0, model.has(key));
          if (entry >= 0) assert.equal(index.offset(entry), model.get(key));
          if (add && entry < 0) {
            index.insert(words, 0, value, 1, value, 0);
            assert.ok(!freed.has(index.find(words, 0)));
            assert.deepEqual(index.digest(index.find(words, 0)), list(fn, words, value).at(0));
            model.set(key, value);
          } else if (!add && entry >= 0) {
            index.remove(entry);
            if (holders > 0) freed.add(entry);
            model.delete(key);
          }
          assert.equal(index.count, model.size);
          assert.ok(index.top <= 201 + freed.size, "entries are used again");
        }
      }),
      { numRuns: 60 },
    );
  });

  it("grows and keeps everything", () => {
    const index = new DigestIndex(sha256, seeds, 600);
    const words = new Uint32Array(8);
    const set = (i: number): void => {
      for (let w = 0; w < 8; w++) words[w] = Math.imul(i + 1, 0x9e3779b1 + 2 * w);
    };
    for (let i = 0; i < 50_000; i++) {
      set(i);
      index.insert(words, 0, i, 7, i * 2, 99);
    }
    for (let i = 0; i < 50_000; i++) {
      set(i);
      const entry = index.findSized(words, 0, i);
      assert.deepEqual([index.place(entry), index.offset(entry), index.used(entry)], [7, i * 2, 99]);
    }
    set(50_000);
    assert.equal(index.find(words, 0), -1);
  });

  it("keeps sizes beyond 4 GiB", () => {
    const index = new DigestIndex(sha256, seeds, 600);
    const words = new Uint32Array(8);
    for (const size of [1, 0xffffffff, 0x100000000, Number.MAX_SAFE_INTEGER]) {
      words[0] = size;
      index.insert(words, 0, size, inFile, 3, 0);
      const entry = index.find(words, 0);
      assert.deepEqual([index.size(entry), index.place(entry), index.offset(entry)], [size, inFile, 3]);
      index.remove(entry);
    }
  });
});
