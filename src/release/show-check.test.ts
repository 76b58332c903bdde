import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ShownElement } from "./bst-show.ts";
import { type ArtifactFacts, originsOf, originsOfArtifact } from "./show-check.ts";

const key = (digit: string): string => digit.repeat(64);

const shownElement = (name: string, digit: string, needs: string[] | undefined, more = {}): ShownElement => ({
  ...{ name, element: name.slice(name.lastIndexOf(":") + 1), key: key(digit), kind: "manual" },
  ...{ casDigest: undefined, sources: [], needs, ...more },
});

const dependency = (element: string, digit: string) => {
  return { project: "os", element, key: key(digit), workspaced: false };
};

const facts: ArtifactFacts = {
  ...{ project: "os", element: "sub-app", keys: [key("a")], casDigest: `${key("f")}/7` },
  dependencies: [dependency("lib.bst", "b")],
};

const shown = [
  shownElement("base.bst", "c", []),
  shownElement("lib.bst", "b", ["base.bst"]),
  shownElement("sub/app.bst", "a", ["lib.bst"], { casDigest: `${key("f")}/7` }),
  shownElement("other.bst", "d", ["base.bst"]),
];

describe("originsOf", () => {
  it("takes what both say, and says what only one does", () => {
    const { kind, dependencies, sources, notes } = originsOf(facts, shown);
    assert.deepEqual([kind, sources], ["manual", []]);
    assert.deepEqual(
      dependencies?.map((each) => [each.project, each.element, each.key, each.kind, each.said]),
      [
        [null, "base.bst", key("c"), "manual", "show"],
        ["os", "lib.bst", key("b"), "manual", "both"],
      ],
    );
    assert.deepEqual(notes, ["`bst show` alone names base.bst"]);
    const more = { ...facts, dependencies: [...facts.dependencies, dependency("gone.bst", "e")] };
    assert.match(originsOf(more, shown).notes.join(), /the artifact alone names gone.bst/);
  });

  it("takes elements through junctions for what they are, also two of one name", () => {
    const elements = [
      shownElement("up.bst:base.bst", "c", []),
      shownElement("up.bst:lib.bst", "b", ["up.bst:base.bst"]),
      shownElement("lib.bst", "9", []),
      shownElement("sub/app.bst", "a", ["lib.bst", "up.bst:lib.bst"]),
    ];
    const { dependencies } = originsOf(facts, elements);
    assert.deepEqual(
      dependencies?.map(({ element, said }) => [element, said]),
      [
        ["lib.bst", "show"],
        ["up.bst:base.bst", "show"],
        ["up.bst:lib.bst", "both"],
      ],
    );
  });

  it("names both keys where they differ", () => {
    const other = shown.map((each) => (each.name === "sub/app.bst" ? { ...each, key: key("0") } : each));
    const both = (error: Error & { code?: string }): boolean =>
      error.code === "failed-precondition" && error.message.includes(key("a")) && error.message.includes(key("0"));
    assert.throws(() => originsOf(facts, other), both);
    const wrongLib = { ...facts, dependencies: [dependency("lib.bst", "0")] };
    const expected = { code: "failed-precondition", message: /lib\.bst.*0{64}.*b{64}/ };
    assert.throws(() => originsOf(wrongLib, shown), expected);
    const digest = { code: "failed-precondition", message: /the files of os\/sub-app/ };
    assert.throws(() => originsOf({ ...facts, casDigest: `${key("e")}/7` }, shown), digest);
    assert.throws(() => originsOf({ ...facts, element: "nobody" }, shown), { code: "not-found" });
  });

  it("has no sources of an artifact alone", () => {
    const { sources, dependencies } = originsOfArtifact(facts);
    assert.deepEqual([sources, dependencies?.[0]?.said], [null, "artifact"]);
  });
});
