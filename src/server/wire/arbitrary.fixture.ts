import fc from "fast-check";
import type { Digest } from "../../base/digest.ts";
import { digestFunctions, functionOfHexLength, type ServedFunction } from "../../base/digest-function.ts";

/** Digests of `fn`; no blob need have them. */
export const anyDigest = (fn: ServedFunction): fc.Arbitrary<Digest> =>
  fc
    .record({
      bytes: fc.uint8Array({ minLength: fn.hexLength / 2, maxLength: fn.hexLength / 2 }),
      size: fc.oneof(
        fc.integer({ min: 1, max: 1 << 20 }),
        fc.maxSafeNat().map((size) => size + 1),
      ),
    })
    .map(({ bytes, size }) => ({
      function: fn,
      hash: Buffer.from(bytes).toString("hex"),
      size: Math.min(size, Number.MAX_SAFE_INTEGER),
    }));

/** Some digests of one function. */
export const anyDigests: fc.Arbitrary<{ fn: ServedFunction; digests: Digest[] }> = fc
  .constantFrom(...digestFunctions)
  .chain((fn) => fc.array(anyDigest(fn), { minLength: 1, maxLength: 20 }).map((digests) => ({ fn, digests })));

/** What a request says of its function: nothing where it need not, unless it wants to. */
export function valueIn(fn: ServedFunction, named: boolean): 0 | ServedFunction["value"] {
  return named || functionOfHexLength(fn.hexLength) !== fn ? fn.value : 0;
}
