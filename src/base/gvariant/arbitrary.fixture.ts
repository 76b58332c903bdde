import fc from "fast-check";
import type { Value } from "./value.ts";

/** A type and an arbitrary for its values. */
interface Shape {
  readonly type: string;
  readonly values: fc.Arbitrary<Value>;
}

/** Any character but NUL. fast-check's own takes a second to make its list of them. */
export const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((point) => String.fromCodePoint(point));

/** Text that GVariant can hold. */
export const textValue = fc.string({ unit: character, maxLength: 12 });

export const bytesValue = fc.uint8Array({ maxLength: 40 });

const basics: readonly Shape[] = [
  { type: "b", values: fc.boolean() },
  { type: "y", values: fc.integer({ min: 0, max: 255 }) },
  { type: "n", values: fc.integer({ min: -0x8000, max: 0x7fff }) },
  { type: "q", values: fc.integer({ min: 0, max: 0xffff }) },
  { type: "i", values: fc.integer() },
  { type: "u", values: fc.integer({ min: 0, max: 0xffffffff }) },
  { type: "x", values: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
  { type: "t", values: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) },
  { type: "s", values: textValue },
];

const basic: fc.Arbitrary<Shape> = fc.constantFrom(...basics);

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    basic,
    fc.constant({ type: "ay", values: bytesValue }),
    tie("shape")
      .filter(({ type }) => type !== "y")
      .map(({ type, values }): Shape => ({ type: `a${type}`, values: fc.array(values, { maxLength: 6 }) })),
    // In a maybe, nothing in a maybe would be read as nothing at all.
    tie("shape")
      .filter(({ type }) => !type.startsWith("m"))
      .map(({ type, values }): Shape => ({ type: `m${type}`, values: fc.option(values, { nil: undefined }) })),
    fc.array(tie("shape"), { maxLength: 5 }).map(tupleOf),
    fc.tuple(basic, tie("shape")).map((members): Shape => {
      const { type, values } = tupleOf([...members]);
      return { type: `{${type.slice(1, -1)}}`, values };
    }),
    tie("shape").map(({ type, values }): Shape => ({ type: "v", values: values.map((value) => ({ type, value })) })),
  ),
}));

function tupleOf(members: readonly Shape[]): Shape {
  const types = members.map(({ type }) => type).join("");
  return { type: `(${types})`, values: fc.tuple(...members.map(({ values }) => values)) };
}

/** A value of any type, and the type. */
export const typeAndValue = shape.chain(({ type, values }) => values.map((value) => ({ type, value })));
