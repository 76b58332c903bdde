import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { newConfig } from "../ostree/archive/config-file.ts";
import { keyOf, OldFolder } from "./old-cache.fixture.ts";
import { recognize, showLayouts } from "./old-cache.ts";

const key = keyOf("a key");
const casd = `${key.slice(0, 2)}/${key.slice(2)}`;

const known: [what: string, files: string[], layouts: string[], names: string[]][] = [
  ["1.x", [`cas/refs/heads/p/e/${key}`], ["bst1"], ["references"]],
  ["1.9x", [`artifacts/refs/p/e/${key}`, `source_protos/k/${key}`], ["bst1.9"], ["artifacts", "sources"]],
  ["casd 1.4", [`assets/objects/${casd}`, `actioncache/objects/${casd}`], ["casd"], ["assets", "actionResults"]],
  ["casd 1.2", [`actioncache/${key}`], ["casd"], ["actionResults"]],
  ["OSTree", ["config", `objects/${casd}.commit`, `refs/heads/p/e/${key}`], ["ostree"], ["ostreeRefs"]],
  [
    "BuildStream 1.0 and a later one",
    ["config", `objects/${casd}.commit`, `refs/heads/p/e/${key}`, `cas/refs/heads/p/e/${key}`],
    ["bst1", "ostree"],
    ["references", "ostreeRefs"],
  ],
  ["refs that are of no repository", [`refs/heads/p/e/${key}`, `cas/objects/${casd}`], ["blobs"], []],
  ["storage alone", [`cas/objects/${casd}`], ["blobs"], []],
  [
    "one after another",
    [`cas/refs/heads/p/e/${key}`, `assets/objects/${casd}`],
    ["bst1", "casd"],
    ["references", "assets"],
  ],
];

for (const [what, files, layouts, names] of known) {
  test(`recognizes ${what}`, () => {
    using folder = new OldFolder();
    for (const file of files) folder.write(file, file === "config" ? newConfig : "content");
    const old = recognize(folder.path);
    assert.deepEqual([old.layouts, old.names.map((kind) => kind.what)], [layouts, names]);
    assert.notEqual(showLayouts(old), "");
  });
}

const unknown: [what: string, files: string[], said: RegExp, hint: RegExp][] = [
  ["an empty folder", [], /none of cas\/objects, cas\/refs\/heads, /, /name the directory that the old server/],
  ["a folder of something else", ["readme.txt"], /none of/, /name the directory that the old server/],
  ["the folder of the blobs", [`objects/${casd}`], /none of/, /name the directory above/],
  ["a store", ["format", "refs.sqlite"], /none of/, /a store of Stillage already/],
];

for (const [what, files, said, hint] of unknown) {
  test(`refuses ${what}`, () => {
    using folder = new OldFolder();
    for (const file of files) folder.write(file, "content");
    assert.throws(() => recognize(folder.path), { code: "failed-precondition", message: said, hint });
  });
}

for (const [config, said] of [
  ["[core]\nrepo_version=1\nmode=bare-user\n", /its mode is bare-user$/],
  ["[core]\nrepo_version=1\n", /its mode is bare$/],
  ["nonsense", /line 1 cannot be read$/],
  ["#".repeat(100_000), /its config is none$/],
] as const) {
  test(`refuses the OSTree repository of which ${said} says why`, () => {
    using folder = new OldFolder();
    for (const file of [`objects/${casd}.commit`, "refs/heads/a"]) folder.write(file, "content");
    folder.write("config", config);
    assert.throws(() => recognize(folder.path), {
      message: said,
    });
  });
}

test("refuses what is no folder", () => {
  using folder = new OldFolder();
  folder.write("file", "content");
  for (const name of ["file", "absent"]) {
    assert.throws(() => recognize(join(folder.path, name)), {
      code: "failed-precondition",
      message: /not a directory/,
    });
  }
});

test("folders that a server made and never used say nothing", async () => {
  using folder = new OldFolder();
  folder.write("actioncache/tmp/x/y", "");
  const bytes = Buffer.from("content");
  await folder.put(digestOf(sha256, bytes), bytes);
  assert.deepEqual(recognize(folder.path).layouts, ["casd"]);
});
