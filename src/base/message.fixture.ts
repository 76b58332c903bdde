import assert from "node:assert/strict";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { MessageType } from "./message.ts";

/** Any text, and any size of a blob. */
export const anyText = fc.string({ unit: "grapheme", maxLength: 200 });
export const anySize = fc.oneof(fc.constant(0), fc.nat(300), fc.maxSafeNat());

/**
 * Asserts that what is written and read by hand agrees with the generated code: each member is its member of the same name, or of that which `names` gives it.
 */
export function assertAgrees<Shape extends object>(
  type: MessageType<Shape>,
  schema: DescMessage,
  any: fc.Arbitrary<Shape>,
  names: Readonly<Record<string, string>> = {},
): void {
  assert.ok(type.name === schema.typeName, `${type.name} is not ${schema.typeName}`);
  const assertSame = (value: unknown, generated: unknown): void => {
    if (Array.isArray(value)) {
      assert.ok(Array.isArray(generated) && generated.length === value.length);
      for (const [i, each] of value.entries()) assertSame(each, generated[i]);
    } else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
      for (const [key, each] of Object.entries(value)) {
        assertSame(each, (generated as Record<string, unknown>)[names[key] ?? key]);
      }
    } else assert.deepEqual(typeof generated === "bigint" ? Number(generated) : generated, value);
  };
  fc.assert(
    fc.property(any, (values) => {
      const generated = fromBinary(schema, type.encode(values));
      assertSame(values, generated);
      assert.deepEqual(type.decode(toBinary(schema, generated)), structuredClone(values));
    }),
  );
  assert.deepEqual(type.decode(toBinary(schema, create(schema))), type.decode(new Uint8Array(0)));
}
