import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { artifactOfAsset, parseArtifactName } from "./artifact-ref-name.ts";

test("a name has a project, an element and a key", () => {
  assert.deepEqual(parseArtifactName("p/e/k"), { project: "p", element: "e", key: "k" });
  assert.deepEqual(parseArtifactName("p/a/b.bst/k"), { project: "p", element: "a/b.bst", key: "k" });
  for (const bad of ["", "p", "p/e", "/e/k", "p//k", "p/e/", "//", "local/7f0e"]) {
    assert.equal(parseArtifactName(bad), undefined, bad);
  }
});

test("BuildStream's URIs name artifacts, and its sources do not", () => {
  const content = digestOf(sha256, Buffer.from("x"));
  const urn = "urn:fdc:buildstream.build:2020:";
  const parts = { project: "p", element: "e", key: "k", content };
  assert.deepEqual(artifactOfAsset("blob", `${urn}artifact:p/e/k`, content), { ...parts, generation: "2.x" });
  assert.deepEqual(artifactOfAsset("directory", `${urn}v1:p/e/k`, content), { ...parts, generation: "1.x" });
  for (const [kind, uri] of [
    ["directory", `${urn}artifact:p/e/k`],
    ["blob", `${urn}v1:p/e/k`],
    ["blob", `${urn}source:p/e/k`],
    ["blob", `${urn}artifact:p/k`],
    ["blob", "https://example.org/p/e/k"],
  ] as const) {
    assert.equal(artifactOfAsset(kind, uri, content), undefined, uri);
  }
});
