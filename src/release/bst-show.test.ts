import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseBstShow, type ShownElement, showFormat } from "./bst-show.ts";

const key = (digit: string): string => digit.repeat(64);

/** What a format with these values becomes. */
const printed = (values: Readonly<Record<string, string>>): string =>
  showFormat.replace(/%\{([a-z-]+)\}/g, (whole, name: string) => values[name] ?? whole);

const app = { name: "app.bst", "full-key": key("a"), "source-info": "[]", "build-deps": "[]", "runtime-deps": "[]" };

describe("parseBstShow", () => {
  it("reads what BuildStream 2.8.1 prints", () => {
    const text = readFileSync(join(import.meta.dirname, "../../test/fixtures/releases/bst-show-2.8.1.txt"), "utf8");
    const elements = parseBstShow(text);
    assert.equal(elements.length, 11);
    const [rootfs, , , lib] = elements as [ShownElement, ShownElement, ShownElement, ShownElement];
    assert.deepEqual(rootfs, {
      name: "base/rootfs.bst",
      element: "base/rootfs.bst",
      key: "00d73a816c2c4ac613922ee5068f7158fb6ef5d0be401dcedb18e5717da1e429",
      kind: "import",
      casDigest: "9578be33d4c4c81b044d4a6e3918fb7184f1e14aeb0fcd2408d202e9d0ba0a14/379",
      sources: [
        {
          element: "base/rootfs.bst",
          kind: "tar",
          url: "file:///srv/harbour/upstream/rootfs.tar",
          medium: "remote-file",
          versionType: "sha256",
          version: "a5600f43c0dea4db6cf0b9af8d9eaba8eb1b3240f810292839cb2226a4aebbb4",
          versionGuess: null,
          homepage: null,
          issueTracker: null,
          more: {},
        },
      ],
      needs: [],
    });
    assert.deepEqual([lib.name, lib.needs], ["lib.bst", ["base.bst", "data/tree.bst"]]);
  });

  it("reads what an older release leaves as it was asked, and names through junctions", () => {
    const { name, "full-key": full } = app;
    const [element] = parseBstShow(printed({ name: `platform.bst:${name}`, "full-key": full }));
    assert.deepEqual(element, {
      ...{ name: "platform.bst:app.bst", element: "app.bst", key: full },
      ...{ kind: undefined, casDigest: undefined, sources: undefined, needs: undefined },
    });
  });

  it("keeps all that a source says, also what it does not know", () => {
    const source =
      "- kind: git\n  url: https://a.org/x\n  version: |-\n    two\n    lines\n  extra-data:\n    a: [b, c]\n";
    const [element] = parseBstShow(printed({ ...app, "source-info": source }));
    assert.deepEqual(element?.sources?.[0]?.more, { "extra-data": { a: ["b", "c"] } });
    assert.equal(element?.sources?.[0]?.version, "two\nlines");
  });

  const bad: readonly [what: string, text: string, message: RegExp][] = [
    ["nothing", "", /no element/],
    ["another format", "cached 1234 app.bst\n", /line 1/],
    ["no name", printed({ ...app, name: "" }), /no name/],
    ["a short key", printed({ ...app, "full-key": "abcd" }), /no full key/],
    ["no key", printed({ ...app, "full-key": "?".repeat(64) }), /has no key, because a source has no ref/],
    ["an element twice", `${printed(app)}\n${printed(app)}`, /twice/],
    ["a source without a kind", printed({ ...app, "source-info": "- url: x" }), /has no kind/],
    ["sources that are no list", printed({ ...app, "source-info": "kind: git" }), /says the kind of an element again/],
    ["broken YAML", printed({ ...app, "source-info": "- {a: [" }), /not YAML/],
    ["an alias", printed({ ...app, "source-info": "- kind: &a x\n  url: *a" }), /not YAML/],
    ["a name that is a mapping", printed({ ...app, "build-deps": "- a: b" }), /not names/],
  ];
  for (const [what, text, message] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseBstShow(text), { code: "invalid", message });
    });
  }
});
