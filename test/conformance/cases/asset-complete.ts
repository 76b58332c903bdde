import { ArtifactSchema } from "../../../src/gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../../../src/gen/buildstream/v2/source_pb.ts";
import type { Case, Server } from "../case.ts";
import {
  expectFound,
  expectMiss,
  fetchBlob,
  fetchDirectory,
  newArtifactUri,
  newSourceUri,
  newUri,
  pushBlob,
  pushDirectory,
} from "../support/assets.ts";
import { emptyBlob, messageBlob, newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { directoryOf, newNestedDirectory } from "../support/directories.ts";
import type { Init } from "../support/init.ts";

const source = "BuildStream: a part that is absent fails the pull; NOT_FOUND is rebuilt and so healed";

/** A digest as BuildStream before 2.7 sends it for a tree that there is not. */
const noDigest = { hash: "", sizeBytes: 0n };

/** An artifact with a tree, metadata and a log, and its parts, none of them uploaded. */
function newArtifact(more: Init<typeof ArtifactSchema> = {}) {
  const files = newNestedDirectory();
  const [publicData, low, high, log] = [newBlob(), newBlob(), newBlob(), newBlob()];
  const proto = messageBlob(ArtifactSchema, {
    version: 2,
    buildSuccess: true,
    strongKey: "a".repeat(64),
    files: files.root.digest,
    publicData: publicData.digest,
    logs: [{ name: "build", digest: log.digest }],
    lowDiversityMeta: low.digest,
    highDiversityMeta: high.digest,
    ...more,
  });
  const parts = {
    "the proto": proto,
    "the root of files": files.root,
    "a directory of files": files.child,
    "a file": files.file,
    "a file below": files.deepFile,
    "the public data": publicData,
    "the low diversity metadata": low,
    "the high diversity metadata": high,
    "the log": log,
  };
  const references = {
    referencesBlobs: [low, high, log, publicData].map(({ digest }) => digest),
    referencesDirectories: [files.root.digest],
  };
  return { proto, parts, references, all: Object.values(parts) };
}

/** Fetches while each of `parts` is absent in turn, then when all are there. */
async function foundOnlyWith(
  server: Server,
  parts: Readonly<Record<string, TestBlob>>,
  fetch: () => ReturnType<typeof fetchBlob>,
  digest: TestBlob["digest"],
): Promise<void> {
  for (const [name, blob] of Object.entries(parts)) {
    expectMiss(await fetch(), `fetched without ${name}`);
    await upload(server, server.instance, [blob]);
  }
  expectFound(await fetch(), digest, "fetched with everything");
}

export const assetCompleteCases: readonly Case[] = [
  {
    id: "asset-complete/directory",
    title: "a pushed directory is found only while all below it is there",
    source: "remote_asset.proto, PushDirectory; BuildStream's single sources",
    async run(server) {
      const { root, child, file, deepFile } = newNestedDirectory();
      const uris = [newUri()];
      await pushDirectory(server, { uris, rootDirectoryDigest: root.digest });
      const parts = { "the root": root, "a directory": child, "a file": file, "a file below": deepFile };
      await foundOnlyWith(server, parts, () => fetchDirectory(server, { uris }), root.digest);
    },
  },
  {
    id: "asset-complete/names",
    title: "a pushed directory is not found where a name in it leads elsewhere, or stands for two things",
    source: "remote_execution.proto, Directory: every child has a path of exactly one segment, and a unique one",
    async run(server) {
      const file = newBlob();
      const twice = { files: [file], symlinks: { "file-00000": "elsewhere" } };
      for (const content of [{ symlinks: { "..": "x" } }, { symlinks: { "../../x": "x" } }, twice]) {
        const child = directoryOf(content);
        const root = directoryOf({ directories: [child] });
        await upload(server, server.instance, [file, child, root]);
        const uris = [newUri()];
        await pushDirectory(server, { uris, rootDirectoryDigest: root.digest });
        expectMiss(await fetchDirectory(server, { uris }), `fetched with ${JSON.stringify(content.symlinks)}`);
      }
    },
  },
  {
    id: "asset-complete/references-blobs",
    title: "a pushed blob is found only while the blobs it refers to are there",
    source: "remote_asset.proto, PushBlobRequest.references_blobs",
    async run(server) {
      const [blob, one, two] = [newBlob(), newBlob(), newBlob()];
      const uris = [newUri()];
      await pushBlob(server, { uris, blobDigest: blob.digest, referencesBlobs: [one.digest, two.digest] });
      const parts = { "the blob": blob, "a reference": one, "the other reference": two };
      await foundOnlyWith(server, parts, () => fetchBlob(server, { uris }), blob.digest);
    },
  },
  {
    id: "asset-complete/references-directories",
    title: "a pushed blob is found only while the directories it refers to are there, and all below them",
    source: "remote_asset.proto, PushBlobRequest.references_directories",
    async run(server) {
      const blob = newBlob();
      const { root, child, file, deepFile } = newNestedDirectory();
      const uris = [newUri()];
      await pushBlob(server, { uris, blobDigest: blob.digest, referencesDirectories: [root.digest] });
      const parts = {
        "the blob": blob,
        "the root": root,
        "a directory": child,
        "a file": file,
        "a file below": deepFile,
      };
      await foundOnlyWith(server, parts, () => fetchBlob(server, { uris }), blob.digest);
    },
  },
  {
    id: "asset-complete/directory-references",
    title: "a pushed directory is found only while what it refers to is there",
    source: "remote_asset.proto, PushDirectoryRequest.references_*",
    async run(server) {
      const { root, blobs } = newNestedDirectory();
      const [blob, other] = [newBlob(), newNestedDirectory()];
      const uris = [newUri()];
      await upload(server, server.instance, [...blobs, ...other.blobs.slice(0, 3)]);
      const references = { referencesBlobs: [blob.digest], referencesDirectories: [other.root.digest] };
      await pushDirectory(server, { uris, rootDirectoryDigest: root.digest, ...references });
      const parts = { "the blob": blob, "a file below the directory": other.deepFile };
      await foundOnlyWith(server, parts, () => fetchDirectory(server, { uris }), root.digest);
    },
  },
  {
    id: "asset-complete/artifact-with-references",
    title: "an artifact as BuildStream pushes it is found only while it is whole",
    source,
    async run(server) {
      const { proto, parts, references } = newArtifact();
      const uris = [newArtifactUri(), newArtifactUri()];
      await pushBlob(server, { uris, blobDigest: proto.digest, ...references });
      await foundOnlyWith(server, parts, () => fetchBlob(server, { uris }), proto.digest);
    },
  },
  {
    id: "asset-complete/artifact-without-references",
    title: "an artifact is walked, whatever the push refers to",
    source: `${source}; before 2.7 public data is not referred to`,
    async run(server) {
      const { proto, parts } = newArtifact();
      const uris = [newArtifactUri()];
      await pushBlob(server, { uris, blobDigest: proto.digest });
      await foundOnlyWith(server, parts, () => fetchBlob(server, { uris }), proto.digest);
    },
  },
  {
    id: "asset-complete/empty-digests",
    title: "empty digests among the references, and in the proto, stand for nothing",
    source: "BuildStream before 2.7: files, /0, /0, /0",
    async run(server) {
      const { proto, all, references } = newArtifact({ buildtree: noDigest, sources: noDigest, buildroot: noDigest });
      const uris = [newArtifactUri()];
      await upload(server, server.instance, all);
      const directories = [...references.referencesDirectories, noDigest, noDigest, noDigest];
      const request = { uris, blobDigest: proto.digest, ...references, referencesDirectories: directories };
      await pushBlob(server, { ...request, referencesBlobs: [...references.referencesBlobs, noDigest] });
      expectFound(await fetchBlob(server, { uris }), proto.digest, "FetchBlob");
    },
  },
  {
    id: "asset-complete/sources-never-sent",
    title: "an artifact of 2.4 whose sources were never sent is found",
    source: "BuildStream 2.4: it refers to sources and does not upload them",
    async run(server) {
      const { root: sources } = newNestedDirectory();
      const { proto, all, references } = newArtifact({ sources: sources.digest });
      const uris = [newArtifactUri()];
      await upload(server, server.instance, all);
      const directories = [...references.referencesDirectories, sources.digest];
      await pushBlob(server, { uris, blobDigest: proto.digest, ...references, referencesDirectories: directories });
      expectFound(await fetchBlob(server, { uris }), proto.digest, "FetchBlob");
    },
  },
  {
    id: "asset-complete/failed-build",
    title: "an artifact of a failed build, without files, is found",
    source: "BuildStream: failed builds are pushed like others",
    async run(server) {
      const log = newBlob();
      const proto = messageBlob(ArtifactSchema, { version: 2, logs: [{ name: "build", digest: log.digest }] });
      const uris = [newArtifactUri()];
      await upload(server, server.instance, [proto, log]);
      await pushBlob(server, { uris, blobDigest: proto.digest, referencesBlobs: [log.digest] });
      expectFound(await fetchBlob(server, { uris }), proto.digest, "FetchBlob");
    },
  },
  {
    id: "asset-complete/no-artifact",
    title: "what stands under an artifact's name and is none is a miss, not an error",
    source: "BuildStream: any other answer stops a build",
    async run(server) {
      const rubbish = newBlob();
      const uris = [newArtifactUri()];
      await upload(server, server.instance, [rubbish]);
      await pushBlob(server, { uris, blobDigest: rubbish.digest });
      expectMiss(await fetchBlob(server, { uris }), "FetchBlob");
    },
  },
  {
    id: "asset-complete/source",
    title: "an element's sources are found only while they are whole",
    source: "BuildStream: a Source refers to a tree, and also parses as a Directory",
    async run(server) {
      const { root, child, file, deepFile } = newNestedDirectory();
      const proto = messageBlob(SourceSchema, { files: root.digest });
      const uris = [newSourceUri()];
      await pushBlob(server, { uris, blobDigest: proto.digest });
      const parts = {
        "the proto": proto,
        "the root": root,
        "a directory": child,
        "a file": file,
        "a file below": deepFile,
      };
      await foundOnlyWith(server, parts, () => fetchBlob(server, { uris }), proto.digest);
    },
  },
  {
    id: "asset-complete/source-of-nothing",
    title: "the sources of an element without any are found",
    source: "BuildStream: a Source that refers to the empty directory",
    async run(server) {
      const proto = messageBlob(SourceSchema, { files: emptyBlob.digest });
      const uris = [newSourceUri()];
      await upload(server, server.instance, [proto]);
      await pushBlob(server, { uris, blobDigest: proto.digest, referencesDirectories: [emptyBlob.digest] });
      expectFound(await fetchBlob(server, { uris }), proto.digest, "FetchBlob");
    },
  },
];
