import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { sha256 } from "../digest-function.ts";
import { hashOf } from "../hash.ts";
import { typeAndValue } from "./arbitrary.fixture.ts";
import { decode, encode } from "./gvariant.ts";
import { valueOfText } from "./text.fixture.ts";
import { type Dictionary, lookUp, type Value } from "./value.ts";

interface Valid {
  readonly type: string;
  readonly value?: string;
  readonly value_note?: string;
  readonly le?: string;
  readonly be?: string;
  readonly le_length?: number;
  readonly le_sha256?: string;
}

interface Untrusted {
  readonly type: string;
  readonly hex: string;
  readonly normal_form: boolean;
  readonly note: string;
}

const file = join(import.meta.dirname, "../../../test/fixtures/ostree/gvariant-cases.json");
const cases: { valid: Valid[]; untrusted: Untrusted[] } = JSON.parse(readFileSync(file, "utf8"));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

test("values are written and read in the bytes of GLib", () => {
  for (const { type, value: text, le = "", be = "" } of cases.valid.filter(({ value }) => value !== undefined)) {
    const value = valueOfText(type, text ?? "");
    assert.equal(hex(encode(type, value)), le, `${type} ${text}`);
    assert.equal(hex(encode(type, value, { bigEndian: true })), be, `${type} ${text}`);
    assert.deepEqual(decode(type, bytesOf(le)), value);
    assert.deepEqual(decode(type, bytesOf(be), { bigEndian: true }), value);
  }
});

test("offsets are as wide as GLib's, whatever the length", () => {
  const lengths = cases.valid.filter(({ value_note }) => value_note !== undefined);
  assert.equal(lengths.length, 8);
  for (const { type, value_note, le_length, le_sha256 } of lengths) {
    const value: string[] = Array(Number(/\d+/.exec(value_note ?? "")?.[0])).fill("x");
    const bytes = encode(type, value);
    assert.equal(bytes.length, le_length);
    assert.equal(hashOf(sha256, bytes), le_sha256);
    assert.deepEqual(decode(type, bytes), value);
  }
});

test("what GLib does not call normal is refused, and the rest is written again as it was", () => {
  for (const { type, hex: text, normal_form, note } of cases.untrusted) {
    // The one thing that GLib calls normal and that has another form, one zero byte, too.
    if (normal_form && note !== "empty bytes as dirtree") {
      assert.equal(hex(encode(type, decode(type, bytesOf(text)))), text, note);
    } else {
      assert.throws(() => decode(type, bytesOf(text)), { code: "invalid" }, note);
    }
  }
});

test("what is written is read as what it was, in both byte orders", () => {
  fc.assert(
    fc.property(typeAndValue, fc.boolean(), ({ type, value }, bigEndian) => {
      const bytes = encode(type, value, { bigEndian });
      assert.deepEqual(decode(type, bytes, { bigEndian }), value);
    }),
    { numRuns: 300 },
  );
});

test("whatever is read has one form: it is written as the same bytes", () => {
  let read = 0;
  const flip = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      typeAndValue,
      fc.array(flip, { maxLength: 2 }),
      fc.integer({ min: -2, max: 2 }),
      (made, flips, longer) => {
        const { type, value } = made;
        const good = encode(type, value);
        const bytes = new Uint8Array(Math.max(0, good.length + longer));
        bytes.set(good.subarray(0, bytes.length));
        for (const { at, to } of flips) if (bytes.length > 0) bytes[at % bytes.length] = to;
        let found: Value;
        try {
          found = decode(type, bytes);
        } catch (error) {
          assert.equal((error as { code: string }).code, "invalid");
          return;
        }
        read++;
        assert.equal(hex(encode(type, found)), hex(bytes));
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(read > 20, "some of it can be read");
});

const bad: Record<string, [type: string, hex: string]> = {
  "a byte too many": ["u", "0000000000"],
  "a byte too few": ["t", "00000000000000"],
  "a variant with a value of another size": ["v", "010075"],
  "a variant of several types": ["v", "0000007575"],
  "a variant of a type with more behind it": ["v", "000000000000757a"],
  "a variant of a type that is none": ["v", "00005a"],
  "a half surrogate pair in UTF-8": ["s", "eda08000"],
  "an overlong form in UTF-8": ["s", "c08000"],
  "an object path without slash": ["o", "6100"],
  "an object path with an empty name": ["o", "2f612f2f6200"],
  "an object path that ends with a slash": ["o", "2f612f00"],
  "an object path with other characters": ["o", "2f612d00"],
  "a signature that is none": ["g", "7b00"],
  "a maybe that is nothing in one that is not": ["mmu", "00"],
  "a tuple with bytes between its members and its offsets": ["(ss)", "610062000002"],
  "a tuple whose fixed member ends outside": ["(su)", "6100000001"],
  "an array of tuples with padding that is not zero": [
    "a(st)",
    "6100000000000001010000000000000002 12".replace(" ", ""),
  ],
  "a dictionary whose variant is cut": ["a{sv}", "6b00000000000000010000000f"],
};

for (const [what, [type, text]] of Object.entries(bad)) {
  test(`refuses ${what}`, () => assert.throws(() => decode(type, bytesOf(text)), { code: "invalid" }));
}

for (const type of ["", "z", "a", "m", "(", "(u", "u)", "{u}", "{vs}", "{sss}", "a{", "uu", "*", "r", "é"]) {
  test(`${JSON.stringify(type)} is no type`, () => {
    assert.throws(() => decode(type, new Uint8Array(4)), { code: "invalid", message: /no GVariant type/ });
  });
}

const unfit: [type: string, value: Value][] = [
  ["y", 256],
  ["y", 1.5],
  ["n", 32768],
  ["u", -1],
  ["u", 1n],
  ["t", -1n],
  ["x", 1],
  ["b", 1],
  ["s", "a\0b"],
  ["s", "\ud800"],
  ["s", Uint8Array.of(1)],
  ["ay", "text"],
  ["ay", [1]],
  ["as", "text"],
  ["(ss)", ["a"]],
  ["v", "text"],
  ["v", { type: "u", value: "text" }],
  ["v", { type: "uu", value: 1 }],
  ["a{sv}", [["key", 1]]],
];

for (const [type, value] of unfit) {
  test(`${String(value)} is not written as ${type}`, () =>
    assert.throws(() => encode(type, value), { code: "invalid" }));
}

test("containers lie 128 deep in each other at most, and types are that deep at most", () => {
  let bytes = encode("v", { type: "y", value: 1 });
  for (let depth = 1; depth < 128; depth++) bytes = Uint8Array.from([...bytes, 0, "v".charCodeAt(0)]);
  decode("v", bytes);
  const deeper = Uint8Array.from([...bytes, 0, "v".charCodeAt(0)]);
  assert.throws(() => decode("v", deeper), { code: "invalid", message: /too deep/ });
  assert.throws(() => decode("v", bytes, { maxDepth: 127 }), { code: "invalid", message: /too deep/ });
  assert.throws(() => decode(`${"a".repeat(128)}u`, new Uint8Array(), { maxDepth: 127 }), { code: "invalid" });
  assert.throws(() => decode(`${"a".repeat(140)}u`, new Uint8Array()), {
    code: "invalid",
    message: /no GVariant type/,
  });
});

test("a path may be as long as it is", () => {
  const path = "/a".repeat(1_000_000);
  assert.equal(decode("o", encode("o", path)), path);
  assert.throws(() => encode("o", `${path}/`), { code: "invalid" });
});

test("a few bytes do not become any number of values", () => {
  assert.throws(() => decode("a()", new Uint8Array(1_000_001)), { code: "invalid", message: /more than/ });
});

test("a few bytes do not become any number of types", () => {
  const ofTypes = (count: number): Uint8Array =>
    encode("av", Array(count).fill({ type: `${"a".repeat(120)}u`, value: [] }));
  assert.equal((decode("av", ofTypes(8000)) as Value[]).length, 8000);
  assert.throws(() => decode("av", ofTypes(9000)), { code: "invalid", message: /more than/ });
});

test("a key is looked up with its type", () => {
  const dictionary = decode(
    "a{sv}",
    encode("a{sv}", [
      ["a", { type: "u", value: 7 }],
      ["a", { type: "u", value: 8 }],
    ]),
  );
  assert.equal(lookUp(dictionary as Dictionary, "a", "u"), 7);
  assert.equal(lookUp(dictionary as Dictionary, "a", "s"), undefined);
  assert.equal(lookUp(dictionary as Dictionary, "b", "u"), undefined);
});
