import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "./protobuf.ts";

test("varints are written and read as the library does", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const length = varintLength(value);
      const bytes = new Uint8Array(1 + length);
      bytes[0] = tagOf(1, wireVarint);
      assert.equal(writeVarint(bytes, 1, value), 1 + length);
      assert.deepEqual(bytes, new BinaryWriter().tag(1, 0).uint64(BigInt(value)).finish());
      const reader = new ProtobufReader(bytes);
      assert.equal(reader.field(), tagOf(1, wireVarint));
      assert.equal(reader.value, value);
      assert.equal(reader.field(), 0);
    }),
  );
});

test("fields of every wire type are stepped over", () => {
  const bytes = new BinaryWriter().tag(1, 1).fixed64(1n).tag(2, 5).fixed32(2).tag(3, 2).string("text").tag(400, 0);
  const group = [0x2b, ...Array(99).fill(0x0b), 0x08, 1, ...Array(99).fill(0x0c), 0x2c];
  const reader = new ProtobufReader(Uint8Array.from([...group, ...bytes.int64(-1n).finish()]));
  assert.equal(reader.field() >> 3, 5);
  assert.equal(reader.field() >> 3, 1);
  assert.equal(reader.field() >> 3, 2);
  assert.equal(reader.field(), tagOf(3, wireBytes));
  assert.equal(reader.text(), "text");
  assert.equal(reader.field(), tagOf(400, wireVarint));
  assert.equal(reader.value, Number.POSITIVE_INFINITY);
  assert.equal(reader.field(), 0);
});

const bad: Record<string, number[]> = {
  "a length beyond the end": [0x0a, 5, 1, 2],
  "an enormous length": [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
  "a cut varint": [0x08, 0x80],
  "a varint of eleven bytes": [0x08, ...Array(10).fill(0x80), 1],
  "a cut fixed64": [0x09, 1, 2],
  "a cut fixed32": [0x0d, 1],
  "a group without an end": [0x0b, 0x08, 1],
  "a group that ends as another": [0x0b, 0x14],
  "the end of no group": [0x0c],
  "groups too deep": [...Array(101).fill(0x0b), ...Array(101).fill(0x0c)],
  "field number 0": [0x02, 0],
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, () => {
    const reader = new ProtobufReader(Uint8Array.from(bytes));
    assert.throws(
      () => {
        while (reader.field() !== 0);
      },
      { code: "invalid" },
    );
  });
}
