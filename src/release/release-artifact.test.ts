import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  artifactMessage,
  keyOf,
  type Library,
  library,
  oldArtifact,
  output,
  pushNew,
  pushOld,
} from "../artifact/artifact.fixture.ts";
import { putCommitOf } from "../cache/commit-tree.fixture.ts";
import { putBlob, putDirectory } from "../cache/tree.fixture.ts";
import type { FoundArtifact, Generation } from "../store/artifact-refs.ts";
import type { Manifest } from "./manifest.ts";
import { createRelease } from "./publish.ts";
import { type ReleasedArtifact, releasedArtifact } from "./release-artifact.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { type FolderText, releaseFolder, requestFor } from "./releases.fixture.ts";

/** The artifact of an element, pushed as clients of a generation do. */
const pushes: Readonly<Record<Generation, (made: Library) => Promise<void>>> = {
  "2.x": async ({ tenant }) => {
    await pushNew(tenant, "os/app", [keyOf("1"), keyOf("2")], await artifactMessage(tenant));
  },
  "1.9x": async ({ tenant }) => {
    await tenant.messages.store("artifact", `os/app/${keyOf("1")}`, await artifactMessage(tenant), "10.0.0.1");
  },
  "1.x": async ({ tenant }) => {
    await pushOld(tenant, "os/app", [keyOf("3")], await putDirectory(tenant.blobs, oldArtifact()));
  },
  "1.0": async ({ tenant }) => {
    const yaml = `keys:\n  strong: ${keyOf("3")}\n  weak: ${keyOf("4")}\n  dependencies:\n    components/base.bst: ${keyOf("b")}\n`;
    const digest = await putCommitOf(tenant.blobs, { files: output, meta: { "artifact.yaml": yaml } });
    const name = `os/app/${keyOf("3")}`;
    const artifact = { project: "os", element: "app", key: keyOf("3"), generation: "1.0", content: digest } as const;
    const rest = { message: new Uint8Array(0), stored: 1, expires: undefined, artifact };
    await tenant.refs.put([{ space: "ostree", instance: "", name, roots: [{ walk: "commit", digest }], ...rest }]);
  },
};

async function pushed(
  generation: Generation,
): Promise<{ made: Library; found: FoundArtifact; released: ReleasedArtifact }> {
  const made = library();
  await pushes[generation](made);
  const key = generation.startsWith("1.9") || generation === "2.x" ? keyOf("1") : keyOf("3");
  const found = await made.catalogue.find({ project: "os", element: "app", key });
  assert.ok(found);
  assert.equal(await made.catalogue.complete(found), true);
  const content = await made.catalogue.content(found);
  assert.deepEqual(content.problems, []);
  return { made, found, released: await releasedArtifact(made.tenant.blobs, found, content, undefined) };
}

const once = { dryRun: true, now: 1 };

async function manifestOf(writer: ReleaseWriter, { tree, artifact, origins }: ReleasedArtifact): Promise<Manifest> {
  return (await createRelease(writer, { ...requestFor({}), tree, artifact, origins }, once)).manifest;
}

describe("artifacts", () => {
  it("of all generations become one tree, and say what they are", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const { manifest: same } = await createRelease(writer, requestFor(output as FolderText), once);
      for (const generation of ["2.x", "1.9x", "1.x", "1.0"] as const) {
        const { found, released } = await pushed(generation);
        const { content, artifact, dependencies } = await manifestOf(writer, released);
        assert.deepEqual(content, same.content, generation);
        const old = !generation.startsWith("1.9") && generation !== "2.x";
        assert.equal(artifact?.keys.strong, keyOf(old ? "3" : "1"), generation);
        assert.equal(artifact?.generation, generation);
        assert.equal(
          artifact?.commit ?? artifact?.files?.function,
          generation === "1.0" ? found.content.hash : "sha256",
        );
        assert.deepEqual(
          dependencies?.map(({ element, key, said }) => [element, key, said]),
          [["components/base.bst", keyOf("b"), "artifact"]],
          generation,
        );
      }
    });
  });

  it("that are damaged in the store, or not all there any more, are not released", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const { made, released } = await pushed("2.x");
      const blob = await putBlob(made.tenant.blobs, "beta");
      const { blobs } = made.tenant;
      const { open } = blobs;
      blobs.open = (digest) => (digest.hash === blob.hash ? undefined : open.call(blobs, digest));
      await assert.rejects(manifestOf(writer, released), { code: "not-found" });
      blobs.open = (digest) => {
        const found = open.call(blobs, digest);
        if (digest.hash !== blob.hash || found === undefined) return found;
        return { ...found, read: (buffer: Uint8Array) => void buffer.fill(0), close: () => {} };
      };
      await assert.rejects(manifestOf(writer, released), { code: "corrupt" });
    });
  });
});
