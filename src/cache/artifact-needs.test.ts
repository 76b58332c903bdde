import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import {
  type Artifact,
  Artifact_DependencySchema,
  Artifact_LogFileSchema,
  ArtifactSchema,
} from "../gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../gen/buildstream/v2/source_pb.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Root } from "../store/ref-store.ts";
import { maxArtifactFields } from "./artifact-message.ts";
import { maxProtoBytes } from "./artifact-needs.ts";
import { Closure } from "./closure.ts";
import { messageOf, putBlob, putDirectory } from "./tree.fixture.ts";

const blob = (text: string): Digest => digestOf(sha256, Buffer.from(text));
const put = (store: MemoryStore, artifact: Artifact): Promise<Digest> =>
  putBlob(store, toBinary(ArtifactSchema, artifact));

/** An artifact with everything, all of it stored. */
async function wholeArtifact(store: MemoryStore): Promise<{ artifact: Artifact; trees: Record<string, Digest> }> {
  const trees = {
    files: await putDirectory(store, { usr: { bin: { hello: "hello" } } }),
    buildtree: await putDirectory(store, { build: "build" }),
    sources: await putDirectory(store, { source: "source" }),
    buildroot: await putDirectory(store, { root: "root" }),
    subsandbox: await putDirectory(store, { sub: "sub" }),
  };
  for (const text of ["public", "low", "high", "log", "log 2"]) await putBlob(store, text);
  const artifact = create(ArtifactSchema, {
    version: 2,
    buildSuccess: true,
    files: messageOf(trees.files),
    publicData: messageOf(blob("public")),
    lowDiversityMeta: messageOf(blob("low")),
    highDiversityMeta: messageOf(blob("high")),
    logs: [
      { name: "build.log", digest: messageOf(blob("log")) },
      { name: "second.log", digest: messageOf(blob("log 2")) },
    ],
    buildtree: messageOf(trees.buildtree),
    sources: messageOf(trees.sources),
    buildroot: messageOf(trees.buildroot),
    buildsandbox: { subsandboxDigests: [messageOf(trees.subsandbox)] },
  });
  return { artifact, trees };
}

const complete = (store: MemoryStore, ...roots: Root[]): Promise<boolean> =>
  new Closure(store, () => store.removals()).complete(roots);

describe("an artifact", () => {
  const required = ["hello", "public", "low", "high", "log", "log 2"];
  const optional = ["build", "source", "root", "sub"];

  for (const text of required) {
    it(`is incomplete without ${text}`, async () => {
      const store = new MemoryStore();
      const root: Root = { walk: "artifact", digest: await put(store, (await wholeArtifact(store)).artifact) };
      assert.equal(await complete(store, root), true);
      await store.remove(blob(text));
      assert.equal(await complete(store, root), false);
    });
  }

  it("is incomplete without its message, and without a directory of its files", async () => {
    const store = new MemoryStore();
    const { artifact, trees } = await wholeArtifact(store);
    const root: Root = { walk: "artifact", digest: await put(store, artifact) };
    const closure = new Closure(store, () => store.removals());
    assert.equal(await closure.complete([root]), true);
    await store.remove(root.digest);
    assert.equal(await closure.complete([root]), false);
    await put(store, artifact);
    await store.remove(trees.files as Digest);
    assert.equal(await closure.complete([root]), false);
  });

  it("is complete without its optional trees, named by the push or not", async () => {
    const store = new MemoryStore();
    const { artifact, trees } = await wholeArtifact(store);
    const root: Root = { walk: "artifact", digest: await put(store, artifact) };
    const named = Object.values(trees).map((digest): Root => ({ walk: "directory", digest }));
    for (const text of optional) await store.remove(blob(text));
    assert.equal(await complete(store, root), true);
    assert.equal(await complete(store, root, ...named), true);
    for (const [name, digest] of Object.entries(trees)) if (name !== "files") await store.remove(digest);
    assert.equal(await complete(store, root, ...named), true);
  });

  it("requires a tree that is optional and required at once", async () => {
    const store = new MemoryStore();
    const { artifact, trees } = await wholeArtifact(store);
    const root: Root = {
      walk: "artifact",
      digest: await put(store, { ...artifact, files: messageOf(trees.buildtree as Digest) }),
    };
    assert.equal(await complete(store, root), true);
    await store.remove(blob("build"));
    assert.equal(await complete(store, root), false);
  });

  it("requires what the push refers to beyond the message", async () => {
    const store = new MemoryStore();
    const digest = await put(store, (await wholeArtifact(store)).artifact);
    const extra = blob("extra");
    const roots: Root[] = [
      { walk: "artifact", digest },
      { walk: "blob", digest: extra },
    ];
    assert.equal(await complete(store, ...roots), false);
    await putBlob(store, "extra");
    assert.equal(await complete(store, ...roots), true);
    const absentTree: Root = { walk: "directory", digest: blob("no such tree") };
    assert.equal(await complete(store, ...roots, absentTree), false);
  });

  it("of a failed build needs no files, and digests without a hash stand for none", async () => {
    const store = new MemoryStore();
    const { artifact } = await wholeArtifact(store);
    const nothing = create(DigestSchema, {});
    const failed = await put(store, {
      ...artifact,
      files: nothing,
      buildtree: nothing,
      logs: [create(Artifact_LogFileSchema, { digest: nothing })],
    });
    assert.equal(await complete(store, { walk: "artifact", digest: failed }), true);
  });

  it("that cannot be read, or names an impossible digest, is incomplete", async () => {
    const store = new MemoryStore();
    const { artifact } = await wholeArtifact(store);
    const unreadable = await putBlob(store, "no artifact at all");
    const impossible = await put(store, {
      ...artifact,
      publicData: create(DigestSchema, { hash: "xyz", sizeBytes: 3n }),
    });
    const large = { ...blob("large"), size: maxProtoBytes + 1 };
    const nothing = create(Artifact_DependencySchema);
    const buildDeps = Array.from({ length: maxArtifactFields }, () => nothing);
    const swollen = await put(store, { ...artifact, buildDeps });
    for (const digest of [unreadable, impossible, large, swollen]) {
      assert.equal(await complete(store, { walk: "artifact", digest }), false);
    }
  });
});

describe("a source", () => {
  it("is complete while its message and its files are there", async () => {
    const store = new MemoryStore();
    const files = await putDirectory(store, { src: { main: "int main" } });
    const digest = await putBlob(store, toBinary(SourceSchema, create(SourceSchema, { files: messageOf(files) })));
    const root: Root = { walk: "source", digest };
    assert.equal(await complete(store, root), true);
    await store.remove(blob("int main"));
    assert.equal(await complete(store, root), false);
  });
});
