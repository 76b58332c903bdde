import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../base/digest.ts";
import { type MemoryTenant, memoryTenant } from "../cache/tenant.fixture.ts";
import { type Folder, messageOf, putBlob, putDirectory } from "../cache/tree.fixture.ts";
import { type Artifact, ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { CommitRefSchema } from "../gen/stillage/ostree/v1/commit_ref_pb.ts";
import type { RefStore } from "../store/ref-store.ts";
import { Catalogue } from "./catalogue.ts";

/** A tenant in memory with its catalogue, for tests. */
export interface Library {
  readonly tenant: MemoryTenant;
  readonly catalogue: Catalogue;
  setTime(time: number): void;
}

export function library(instance = "", first = 1000): Library {
  let now = first;
  const tenant = memoryTenant(instance, () => now);
  const { refs, blobs, closure } = tenant;
  return {
    tenant,
    catalogue: new Catalogue({ instance, artifacts: refs.artifacts, blobs, closure }),
    setTime: (time) => {
      now = time;
    },
  };
}

export const keyOf = (digit: string): string => digit.repeat(64);

export const output: Folder = {
  bin: { tool: "#!/bin/sh\n" },
  share: { doc: { "a.txt": "alpha", "b.txt": "beta" }, empty: {} },
  "top.txt": "top",
};

/** An Artifact message whose blobs are stored; `more` replaces members of it. */
export async function artifactMessage({ blobs }: MemoryTenant, more: Partial<Artifact> = {}): Promise<Uint8Array> {
  const digest = async (text: string) => messageOf(await putBlob(blobs, text));
  const dependency = {
    projectName: "os",
    elementName: "components/base.bst",
    cacheKey: keyOf("b"),
    wasWorkspaced: false,
  };
  const artifact = create(ArtifactSchema, {
    version: 2,
    buildSuccess: true,
    buildError: "succeeded",
    strongKey: keyOf("1"),
    weakKey: keyOf("2"),
    strictKey: keyOf("1"),
    files: messageOf(await putDirectory(blobs, output)),
    buildDeps: [dependency],
    publicData: await digest("bst:\n  split-rules:\n    runtime:\n    - /usr/bin/*\n"),
    logs: [{ name: "build.log", digest: await digest("it was built\n") }],
    lowDiversityMeta: await digest("environment: {}\n"),
    highDiversityMeta: await digest("variables: {}\n"),
  });
  return toBinary(ArtifactSchema, { ...artifact, ...more });
}

/** Pushes an artifact as BuildStream 2 does; returns the digest of its message. */
export async function pushNew(
  tenant: MemoryTenant,
  name: string,
  keys: readonly string[],
  message: Uint8Array,
): Promise<Digest> {
  const digest = await putBlob(tenant.blobs, message);
  const uris = keys.map((key) => `urn:fdc:buildstream.build:2020:artifact:${name}/${key}`);
  const rest = { qualifiers: [], references: [], expires: undefined, message: new Uint8Array(0), by: "CN=builder" };
  await tenant.assets.store({ kind: "blob", uris, digest, ...rest });
  return digest;
}

/** What BuildStream 1 keeps; `meta` replaces files of it. */
export function oldArtifact(meta: Folder = {}): Folder {
  return {
    files: output,
    logs: { "build.log": "it was built\n" },
    meta: {
      "keys.yaml": `strong: ${keyOf("3")}\nweak: ${keyOf("4")}\n`,
      "dependencies.yaml": `components/base.bst: ${keyOf("b")}\n`,
      "public.yaml": "bst:\n  integration-commands:\n  - ldconfig\n",
      "workspaced.yaml": "workspaced: false\n",
      "workspaced-dependencies.yaml": "workspaced-dependencies: []\n",
      ...meta,
    },
  };
}

/** What BuildStream 1.0 keeps: all that it knows is in one file. */
export function firstArtifact(meta: Folder = {}): Folder {
  const all = [
    "keys:",
    `  strong: ${keyOf("5")}`,
    `  weak: ${keyOf("6")}`,
    "  dependencies:",
    `    components/base.bst: ${keyOf("b")}`,
    "workspaced: false",
    "workspaced_dependencies:",
    "  components/base.bst: true",
    "",
  ];
  return {
    files: output,
    logs: { "build.log": "it was built\n" },
    meta: {
      "artifact.yaml": all.join("\n"),
      "public.yaml": "bst:\n  integration-commands:\n  - ldconfig\n",
      ...meta,
    },
  };
}

/** Pushes a commit as BuildStream 1.0 does. */
export async function pushCommit(
  { name: instance, refs }: { readonly name: string; readonly refs: RefStore },
  name: string,
  keys: readonly string[],
  digest: Digest,
  stored = 1000,
): Promise<void> {
  const [project = "", element = ""] = name.split("/");
  const message = toBinary(CommitRefSchema, create(CommitRefSchema, { commit: Buffer.from(digest.hash, "hex") }));
  await refs.put(
    keys.map((key) => ({
      ...{ space: "ostree" as const, instance, name: `${name}/${key}`, message, stored, expires: undefined },
      roots: [{ walk: "commit" as const, digest }],
      artifact: { project, element, key, generation: "1.0" as const, content: digest },
    })),
  );
}

/** Pushes a directory as BuildStream 1 does, key by key. */
export async function pushOld(
  tenant: MemoryTenant,
  name: string,
  keys: readonly string[],
  digest: Digest,
): Promise<void> {
  for (const key of keys) {
    const uris = [`urn:fdc:buildstream.build:2020:v1:${name}/${key}`];
    const rest = { qualifiers: [], references: [], expires: undefined, message: new Uint8Array(0) };
    await tenant.assets.store({ kind: "directory", uris, digest, ...rest });
  }
}
