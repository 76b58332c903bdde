import assert from "node:assert/strict";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { MessageType } from "./message.ts";
import { tagOf, varintLength, wireBytes, wireFixed32, wireFixed64, wireVarint, writeVarint } from "./protobuf.ts";

const [wireGroup, wireGroupEnd] = [3, 4];

/** Any text, and any size of a blob. */
export const anyText = fc.string({ unit: "grapheme", maxLength: 200 });
export const anySize = fc.oneof(fc.constant(0), fc.nat(300), fc.maxSafeNat());

/** Fields that no message here has, of every wire type. */
const anyUnknown = fc.letrec<{ fields: number[]; field: number[] }>((tie) => {
  const of = (type: number, content: fc.Arbitrary<readonly number[]>) =>
    content.map((bytes) => [...tagBytes(type), ...bytes]);
  const bytes = (length: number) => fc.array(fc.nat(255), { minLength: length, maxLength: length });
  return {
    fields: fc.array(tie("field"), { maxLength: 3 }).map((all) => all.flat()),
    field: fc.oneof(
      { depthSize: "small" },
      of(wireVarint, fc.constantFrom([0], [0x7f], [0xff, 0x01])),
      of(wireFixed64, bytes(8)),
      of(
        wireBytes,
        bytes(5).map((all) => [all.length, ...all]),
      ),
      of(wireFixed32, bytes(4)),
      of(
        wireGroup,
        tie("fields").map((inner) => [...inner, ...tagBytes(wireGroupEnd)]),
      ),
    ),
  };
}).fields;

function tagBytes(type: number): Uint8Array {
  const tag = tagOf(2000, type);
  const bytes = new Uint8Array(varintLength(tag));
  writeVarint(bytes, 0, tag);
  return bytes;
}

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
    fc.property(any, anyUnknown, (values, unknown) => {
      const generated = fromBinary(schema, type.encode(values));
      assertSame(values, generated);
      const written = toBinary(schema, generated);
      const strange = Buffer.concat([Buffer.from(unknown), written, Buffer.from(unknown)]);
      fromBinary(schema, strange);
      for (const bytes of [written, strange]) assert.deepEqual(type.decode(bytes), structuredClone(values));
    }),
  );
  assert.deepEqual(type.decode(toBinary(schema, create(schema))), type.decode(new Uint8Array(0)));
}
