import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Manifest, manifestJson } from "./manifest.ts";
import { parseManifest } from "./manifest-file.ts";

const attachment = { name: "x.txt", kind: "file", mediaType: "text/plain", sha256: "a".repeat(64), size: 1 };
const source = { element: "a.bst", kind: "git", url: null, medium: null, versionType: null, version: null };
const manifest: Manifest = {
  ...{ manifestVersion: 1, title: "os", version: null, artifact: null, metadata: { colour: "red" } },
  content: { checksum: "0".repeat(64), files: 1, bytes: 2 },
  sources: [{ ...source, versionGuess: null, homepage: null, issueTracker: null, more: { depth: 1 } }],
  dependencies: [{ project: null, element: "b.bst", key: "1", kind: null, workspaced: false, said: "both" }],
  attachments: [attachment],
};

describe("parseManifest", () => {
  it("reads what was written", () => {
    assert.deepEqual(parseManifest(manifestJson(manifest)), manifest);
  });

  const bad: readonly [what: string, value: unknown][] = [
    ["nothing in it", {}],
    ["a list", []],
    ["another version", { ...manifest, manifestVersion: 2 }],
    ["no content", { ...manifest, content: null }],
    ["a source without an element", { ...manifest, sources: [{ ...manifest.sources?.[0], element: 1 }] }],
    ["no list of attachments", { ...manifest, attachments: {} }],
    ["an attachment elsewhere", { ...manifest, attachments: [{ ...attachment, name: "../../repo/config" }] }],
    ["an attachment that is the provenance", { ...manifest, attachments: [{ ...attachment, name: "manifest.json" }] }],
    ["an attachment of no bytes", { ...manifest, attachments: [{ ...attachment, size: -1 }] }],
    ["one name twice", { ...manifest, attachments: [attachment, attachment] }],
  ];
  for (const [what, value] of bad) {
    it(`refuses one with ${what}`, () => {
      assert.throws(() => parseManifest(Buffer.from(JSON.stringify(value))), { code: "invalid" });
    });
  }
});
