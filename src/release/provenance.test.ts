import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StillageError } from "../base/errors.ts";
import type { Manifest, ManifestSource } from "./manifest.ts";
import { encodeStatement, provenanceOf, type ReleaseFacts, readStatement } from "./provenance.ts";
import { describeSource } from "./resource-descriptor.ts";

const commit = "ab".repeat(32);
const key = "12".repeat(32);
const bare: Manifest = {
  manifestVersion: 1,
  title: null,
  version: null,
  content: { checksum: "cd".repeat(32), files: 1, bytes: 1 },
  artifact: null,
  sources: null,
  dependencies: null,
  metadata: {},
  attachments: [],
};
const manifest: Manifest = {
  ...bare,
  version: "24.08",
  artifact: {
    project: "os",
    element: "image.bst",
    generation: "2.x",
    key: "56".repeat(32),
    keys: { strong: key, weak: null, strict: null },
    kind: null,
    files: null,
    commit: null,
    messageVersion: null,
    workspaced: false,
  },
  sources: [
    source({
      element: "os/kernel.bst",
      kind: "git_repo",
      url: "https://example.org/linux.git",
      medium: "git",
      versionType: "commit",
      version: "01".repeat(20),
    }),
  ],
  dependencies: [
    { project: "os", element: "kernel.bst", key: "34".repeat(32), kind: null, workspaced: false, said: "both" },
  ],
  attachments: [
    { name: "sbom.json", kind: "spdx", mediaType: "application/spdx+json", sha256: "a1".repeat(32), size: 2 },
  ],
};
const facts: ReleaseFacts = {
  commit,
  branch: "os/x86_64/stable",
  manifest,
  manifestDigest: "ef".repeat(32),
  builder: "https://ci.example.org/builders/1",
  logs: { "build.log": "b2".repeat(32) },
  versions: { stillage: "1.2.3" },
};

function source(changes: Partial<ManifestSource>): ManifestSource {
  return {
    element: "e.bst",
    kind: "k",
    url: null,
    medium: null,
    versionType: null,
    version: null,
    versionGuess: null,
    homepage: null,
    issueTracker: null,
    more: {},
    ...changes,
  };
}

describe("provenance", () => {
  test("is a Statement of in-toto 1 with a predicate of SLSA 1", () => {
    assert.deepEqual(provenanceOf(facts), {
      _type: "https://in-toto.io/Statement/v1",
      subject: [
        { name: `objects/ab/${"ab".repeat(31)}.commit`, digest: { sha256: commit } },
        { name: "content", digest: { sha256: "cd".repeat(32) } },
      ],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: {
          buildType: "urn:stillage:buildstream-element:v1",
          externalParameters: {
            branch: "os/x86_64/stable",
            version: "24.08",
            project: "os",
            element: "image.bst",
            key,
          },
          resolvedDependencies: [
            {
              uri: "git+https://example.org/linux.git",
              digest: { gitCommit: "01".repeat(20) },
              annotations: {
                element: "os/kernel.bst",
                kind: "git_repo",
                medium: "git",
                versionType: "commit",
                version: "01".repeat(20),
              },
            },
            { name: "os/kernel.bst", digest: { buildstreamCacheKey: "34".repeat(32) } },
          ],
        },
        runDetails: {
          builder: { id: "https://ci.example.org/builders/1", version: { stillage: "1.2.3" } },
          byproducts: [
            { name: "manifest.json", digest: { sha256: "ef".repeat(32) }, mediaType: "application/json" },
            { name: "sbom.json", digest: { sha256: "a1".repeat(32) }, mediaType: "application/spdx+json" },
            { name: "log: build.log", digest: { sha256: "b2".repeat(32) }, mediaType: "text/plain" },
          ],
        },
      },
    });
  });

  test("of a directory says that nobody knows how it came to be", () => {
    const given = { ...facts, manifest: bare, builder: undefined, logs: {}, versions: {} };
    const { buildDefinition, runDetails } = provenanceOf(given).predicate;
    assert.deepEqual(buildDefinition, {
      buildType: "urn:stillage:directory:v1",
      externalParameters: { branch: "os/x86_64/stable" },
      resolvedDependencies: [],
    });
    assert.deepEqual(runDetails.builder, { id: "urn:stillage:builder:unknown" });
  });

  test("is read again: subjects, byproducts, builder", () => {
    const read = readStatement(encodeStatement(provenanceOf(facts)));
    assert.deepEqual(read, {
      subjects: [
        { name: `objects/ab/${"ab".repeat(31)}.commit`, sha256: commit },
        { name: "content", sha256: "cd".repeat(32) },
      ],
      byproducts: [
        { name: "manifest.json", sha256: "ef".repeat(32) },
        { name: "sbom.json", sha256: "a1".repeat(32) },
        { name: "log: build.log", sha256: "b2".repeat(32) },
      ],
      predicateType: "https://slsa.dev/provenance/v1",
      builder: "https://ci.example.org/builders/1",
    });
  });

  test("a statement of another kind is refused, or has no byproducts", () => {
    const statement = { ...provenanceOf(facts) };
    const refused = [
      "{",
      "[]",
      JSON.stringify({ ...statement, _type: "https://in-toto.io/Statement/v0.1" }),
      JSON.stringify({ ...statement, subject: [] }),
      JSON.stringify({ ...statement, subject: {} }),
      JSON.stringify({ ...statement, predicateType: null }),
    ];
    for (const text of refused) {
      assert.throws(
        () => readStatement(Buffer.from(text)),
        (error) => error instanceof StillageError,
        text,
      );
    }
    const other = JSON.stringify({ ...statement, predicateType: "https://spdx.dev/Document", subject: [7] });
    const { subjects, byproducts } = readStatement(Buffer.from(other));
    assert.deepEqual([subjects, byproducts], [[{ name: "", sha256: undefined }], []]);
  });

  test("every medium of a source has an address and a digest where it can", () => {
    const sha = "9f".repeat(32);
    const cases: [Partial<ManifestSource>, string | undefined, object | undefined][] = [
      [
        { medium: "git", url: "git@Host.org:group/x.git", versionType: "commit", version: "a".repeat(40) },
        "git+ssh://git@host.org/group/x.git",
        { gitCommit: "a".repeat(40) },
      ],
      [{ medium: "git", url: "GIT://Host.org/X", version: "master" }, "git://host.org/X", undefined],
      [{ medium: "git", url: "https://me:secret@h/x" }, "git+https://me@h/x", undefined],
      [{ medium: "remote-file", url: "https://:secret@h/x" }, "https://h/x", undefined],
      [{ medium: "git", url: "Host:x" }, "git+ssh://host/x", undefined],
      [{ medium: "git", url: "git+https://h/x", versionType: "commit", version: "HEAD" }, "git+https://h/x", undefined],
      [
        { medium: "bzr", url: "https://h/b", versionType: "indexed-version", version: "7" },
        "bzr+https://h/b",
        undefined,
      ],
      [
        { medium: "remote-file", url: "HTTPS://User@Host/A.tar?q", versionType: "sha256", version: sha },
        "https://User@host/A.tar?q",
        { sha256: sha },
      ],
      [
        { medium: "oci-image", url: "docker://h/i", versionType: "oci-digest", version: `sha256:${sha}` },
        "docker://h/i",
        { sha256: sha },
      ],
      [
        { medium: "local", url: "files/x", versionType: "cas-digest", version: `${sha}/142` },
        undefined,
        { reapiDirectory: `${sha}/142` },
      ],
      [{ medium: "remote-file", url: "https://h/x", versionType: "sha256", version: "9F" }, "https://h/x", undefined],
      [{ kind: "own kind" }, "urn:stillage:source:own%20kind", undefined],
      [{ medium: "local", url: "files/x" }, "urn:stillage:source:k", undefined],
    ];
    for (const [changes, uri, digest] of cases) {
      const described = describeSource(source(changes));
      assert.deepEqual([described.uri, described.digest], [uri, digest], JSON.stringify(changes));
    }
    assert.equal(describeSource(source({ url: "files/x" })).name, "files/x");
  });
});
