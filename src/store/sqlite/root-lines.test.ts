import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../base/digest.ts";
import { digestFunctions } from "../../base/digest-function.ts";
import type { Root, Walk } from "../ref-store.ts";
import { decodeRoots, encodeRoots } from "./root-lines.ts";

const walks: readonly Walk[] = ["blob", "directory", "tree", "artifact", "source", "commit"];
const anyRoot: fc.Arbitrary<Root> = fc
  .tuple(fc.constantFrom(...walks), fc.constantFrom(...digestFunctions), fc.nat(20))
  .map(([walk, fn, size]) => ({ walk, digest: digestOf(fn, Buffer.alloc(size)) }));

test("roots come back as they were written", () => {
  fc.assert(
    fc.property(fc.array(anyRoot), (roots) => {
      const text = encodeRoots(roots);
      assert.deepEqual(decodeRoots(text), roots);
    }),
  );
});

test("lines that nobody can have written are refused", () => {
  const { hash } = digestOf(digestFunctions[0] as (typeof digestFunctions)[number], Buffer.from("x"));
  assert.throws(() => decodeRoots(`blob whirlpool ${hash} 1`), { code: "corrupt" });
  for (const line of ["blob", `blob sha256 ${hash}`, `blob sha256 ${hash.slice(1)} 1`, `blob sha256 ${hash} -1`]) {
    assert.throws(() => decodeRoots(line), { name: "StillageError" });
  }
});
