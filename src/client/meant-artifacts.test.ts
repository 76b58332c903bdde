import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { artifactMessage, keyOf, pushNew } from "../artifact/artifact.fixture.ts";
import { readArtifactText } from "./artifact-text.ts";
import { allArtifactsMeant, artifactMeant, artifactsMeant, shownArtifact } from "./meant-artifacts.ts";
import { type MemoryPlace, memoryPlace } from "./memory-place.fixture.ts";

const signal = new AbortController().signal;

test("names are told apart", () => {
  const artifact = (project: string, element: string, key: string) => ({ kind: "artifact", project, element, key });
  const cases: [string, boolean, object][] = [
    ["os/gcc/12ab", false, artifact("os", "gcc", "12ab")],
    ["os/gcc", false, artifact("os", "gcc", "")],
    ["os/sub/deep.bst/12ab", true, artifact("os", "sub/deep.bst", "12ab")],
    ["os/sub/deep.bst", false, artifact("os", "sub/deep.bst", "")],
    ["os/sub/deep", false, artifact("os", "sub/deep", "")],
    ["*/b?s*/*", true, artifact("*", "b?s*", "*")],
    ["sub/deep.bst", true, { kind: "element file", element: "sub/deep.bst" }],
    ["base.bst", true, { kind: "element file", element: "base.bst" }],
  ];
  for (const [text, hasProject, meaning] of cases) assert.deepEqual(readArtifactText(text, hasProject), meaning, text);
  for (const text of [
    "",
    "os",
    "os/",
    "/gcc",
    "os//12",
    "os/gcc/",
    "base.bst",
    `os/${"x".repeat(256)}`,
    "os/*?*?*?*?*",
  ]) {
    assert.throws(() => readArtifactText(text, false), { code: "invalid" }, text);
  }
});

describe("artifacts that are meant", () => {
  let here: MemoryPlace;
  let there: MemoryPlace;
  before(async () => {
    [here, there] = [memoryPlace("here"), memoryPlace("there", false)];
    for (const [place, name, key] of [
      [here, "os/gcc", keyOf("a")],
      [here, "os/gcc", keyOf("b")],
      [here, "os/sub-deep", keyOf("c")],
      [there, "os/gcc", keyOf("d")],
      [there, "fw/boot", keyOf("e")],
    ] as const) {
      await pushNew(place.tenant, name, [key], await artifactMessage(place.tenant, { strongKey: key }));
    }
  });
  const names = async (text: string, places: readonly MemoryPlace[] = [here, there]): Promise<string[]> =>
    (await artifactsMeant(places, text, { signal })).map(
      ({ artifact, place }) => `${place.name} ${shownArtifact(artifact).slice(0, -56)}`,
    );

  test("by their whole name, wherever they are", async () => {
    assert.deepEqual(await names(`os/gcc/${keyOf("a")}`), ["here os/gcc/aaaaaaaa"]);
    assert.deepEqual(await names(`os/gcc.bst/${keyOf("d")}`), ["there os/gcc/dddddddd"]);
  });

  test("by short keys, globs and elements, in the first place that has any", async () => {
    assert.deepEqual(await names("os/gcc/a"), ["here os/gcc/aaaaaaaa"]);
    assert.deepEqual((await names("os/gcc")).sort(), ["here os/gcc/aaaaaaaa", "here os/gcc/bbbbbbbb"]);
    assert.deepEqual(await names("os/sub/deep.bst"), ["here os/sub-deep/cccccccc"]);
    assert.deepEqual(await names("?s/*/*c*"), ["here os/sub-deep/cccccccc"]);
  });

  test("by what the project says of an element's file", async () => {
    const ofElement = async (element: string) => ({
      project: "os",
      element: element.slice(0, -4),
      keys: [keyOf("e"), keyOf("d")],
    });
    const [meant] = await artifactsMeant([here, there], "gcc.bst", { signal, ofElement });
    assert.equal(meant?.place, there);
  });

  test("what a place that cannot list may have is not said to be missing", async () => {
    await assert.rejects(artifactsMeant([here, there], "fw/boot/ee", { signal }), { code: "unsupported" });
  });

  test("all that any place has, where several may be meant, and who could not tell", async () => {
    const more = { name: "more", index: here.index };
    const { meant, unknown } = await allArtifactsMeant([there, here, more], "os/gcc", { signal });
    assert.deepEqual(meant.map(({ place }) => place.name).sort(), ["here", "here", "more", "more"]);
    assert.deepEqual(
      unknown.map(({ place, error }) => [place.name, error.code]),
      [["there", "unsupported"]],
    );
    assert.equal((await allArtifactsMeant([here, more], "os/gcc/a", { signal })).meant.length, 1);
  });

  test("what is nowhere is told with what is near", async () => {
    const hints: [string, RegExp][] = [
      ["os/gcc/ff", /^os\/gcc is there with other keys: os\/gcc\/b+, os\/gcc\/a+$/],
      ["os/gc/a", /^did you mean os\/gcc\?$/],
      ["oss/base/77", /^did you mean the project os\?$/],
      ["zzz/zzz/zzz", /^`stillage artifact list --in here` shows/],
    ];
    for (const [text, hint] of hints) {
      const failure = await artifactsMeant([here], text, { signal }).catch((error: unknown) => error);
      assert.match((failure as { hint: string }).hint, hint, text);
      assert.equal((failure as { code: string }).code, "not-found");
    }
  });

  test("one is meant only where no other is", async () => {
    assert.equal((await artifactMeant([here], "os/gcc/b", { signal })).artifact.keys[0], keyOf("b"));
    await assert.rejects(artifactMeant([here], "os/gcc", { signal }), { code: "not-found", message: /more than one/ });
  });
});
