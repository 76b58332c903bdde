import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type AssetKey, assetNames, maxQualifierLength, maxQualifiers, maxUriLength, maxUris } from "./asset-name.ts";

const key = (more: Partial<AssetKey>): AssetKey => ({ kind: "blob", uris: ["urn:x"], qualifiers: [], ...more });
const names = (more: Partial<AssetKey>): string[] => [...assetNames(key(more)).values()];

const anyKey: fc.Arbitrary<AssetKey> = fc.record({
  kind: fc.constantFrom("blob", "directory"),
  uris: fc.tuple(fc.stringMatching(/^[ -~]{1,20}$/)),
  qualifiers: fc.uniqueArray(fc.record({ name: fc.string({ maxLength: 3 }), value: fc.string({ maxLength: 3 }) }), {
    maxLength: 4,
    selector: (each) => each.name,
  }),
});

describe("assetNames", () => {
  it("gives different keys different names, in whatever order the qualifiers come", () => {
    const canonical = ({ kind, uris, qualifiers }: AssetKey): string =>
      JSON.stringify([kind, uris, qualifiers.map(({ name, value }) => JSON.stringify([name, value])).sort()]);
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        assert.equal(names(a)[0] === names(b)[0], canonical(a) === canonical(b));
        assert.deepEqual(names({ ...a, qualifiers: a.qualifiers.toReversed() }), names(a));
      }),
    );
  });

  it("keeps the order of the URIs, each once", () => {
    assert.deepEqual([...assetNames(key({ uris: ["urn:b", "urn:a", "urn:b"] })).keys()], ["urn:b", "urn:a"]);
  });

  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const bad: [what: string, more: Partial<AssetKey>][] = [
    ["no URI", { uris: [] }],
    ["an empty URI", { uris: ["urn:x", ""] }],
    ["too many URIs", { uris: many(maxUris + 1, (i) => `urn:${i}`) }],
    ["a URI that is too long", { uris: ["u".repeat(maxUriLength + 1)] }],
    ["a line break in a URI", { uris: ["urn:x\nurn:y"] }],
    ["a NUL in a URI", { uris: ["urn:x\0"] }],
    ["half a character in a URI", { uris: ["urn:\ud800"] }],
    ["too many qualifiers", { qualifiers: many(maxQualifiers + 1, (i) => ({ name: `${i}`, value: "" })) }],
    ["qualifiers of one name", { qualifiers: many(2, (i) => ({ name: "a", value: `${i}` })) }],
    ["qualifiers that are too long", { qualifiers: [{ name: "a", value: "v".repeat(maxQualifierLength) }] }],
  ];
  for (const [what, more] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => names(more), { code: "invalid" });
    });
  }
});
