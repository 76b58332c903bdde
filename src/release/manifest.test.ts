import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Manifest, manifestJson, manifestYaml } from "./manifest.ts";
import { manifestDiff } from "./manifest-diff.ts";

const source = { kind: "git", url: "https://a.org/x", medium: "git", versionType: "commit", version: "1" };
const rest = { versionGuess: null, homepage: null, issueTracker: null, more: {} };
const manifest: Manifest = {
  ...{ manifestVersion: 1, title: null, version: "1", artifact: null, dependencies: null },
  content: { checksum: "0".repeat(64), files: 1, bytes: 2 },
  sources: [
    { element: "a.bst", ...source, ...rest },
    { element: "a.bst", ...source, ...rest },
  ],
  metadata: { colour: "red" },
  attachments: [],
};

describe("canonicalJson", () => {
  it("is one text for one value, whatever the order of its keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = canonicalJson(value);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        const turned = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(canonicalJson(turned), text);
      }),
      { numRuns: 200 },
    );
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: "ü" }], 10: true, 9: "" }),
      '{"10":true,"9":"","b":[1,{"c":"ü","d":null}]}\n',
    );
  });
});

describe("manifests", () => {
  it("say the same as JSON and as YAML", async () => {
    const { parse } = await import("yaml");
    const fromJson = JSON.parse(Buffer.from(manifestJson(manifest)).toString());
    assert.equal(manifestYaml(fromJson), manifestYaml(manifest));
    assert.deepEqual(parse(manifestYaml(manifest)), JSON.parse(Buffer.from(manifestJson(manifest)).toString()));
  });

  it("differ by what was changed, added and removed", () => {
    assert.deepEqual(manifestDiff(manifest, manifest), []);
    const [first, second] = manifest.sources as [Manifest["attachments"][number] & never, never];
    const changed: Manifest = {
      ...manifest,
      sources: [first, { ...(second as object), version: "2" } as never, { ...(first as object), url: null } as never],
      metadata: { size: "9" },
    };
    assert.deepEqual(manifestDiff(manifest, changed), [
      { what: "source", name: "a.bst: git", from: null, to: "1" },
      { what: "source", name: "a.bst: git https://a.org/x (2)", from: "1", to: "2" },
      { what: "metadata", name: "colour", from: "red", to: null },
      { what: "metadata", name: "size", from: null, to: "9" },
    ]);
  });
});
