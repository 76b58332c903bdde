import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../base/digest.ts";
import { type DigestFunction, sha256 } from "../base/digest-function.ts";
import {
  type Digest as DigestMessage,
  DigestSchema,
  type Directory,
  DirectorySchema,
  TreeSchema,
} from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";

/** A directory for tests: what a name stands for is a file's content or another directory. */
export interface Folder {
  readonly [name: string]: string | Folder;
}

export const messageOf = (digest: Digest): DigestMessage =>
  create(DigestSchema, { hash: digest.hash, sizeBytes: BigInt(digest.size) });

export async function putBlob(
  blobs: BlobStore,
  bytes: Uint8Array | string,
  fn: DigestFunction = sha256,
): Promise<Digest> {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const digest = digestOf(fn, content);
  await blobs.put(digest, content);
  return digest;
}

/** Stores a folder's files, and its directories where `asBlobs`; returns every directory, parents first. */
async function putFolder(blobs: BlobStore, folder: Folder, fn: DigestFunction, asBlobs: boolean): Promise<Directory[]> {
  const directory = create(DirectorySchema, {});
  const all = [directory];
  for (const [name, entry] of Object.entries(folder).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof entry === "string") {
      const digest = messageOf(await putBlob(blobs, entry, fn));
      directory.files.push({
        $typeName: "build.bazel.remote.execution.v2.FileNode",
        name,
        digest,
        isExecutable: false,
      });
    } else {
      const below = await putFolder(blobs, entry, fn, asBlobs);
      const digest = messageOf(digestOf(fn, toBinary(DirectorySchema, below[0] as Directory)));
      directory.directories.push({ $typeName: "build.bazel.remote.execution.v2.DirectoryNode", name, digest });
      all.push(...below);
    }
  }
  if (asBlobs) await putBlob(blobs, toBinary(DirectorySchema, directory), fn);
  return all;
}

/** Stores a folder as directories and files; returns the digest of its root. */
export async function putDirectory(blobs: BlobStore, folder: Folder, fn: DigestFunction = sha256): Promise<Digest> {
  const [root] = await putFolder(blobs, folder, fn, true);
  return digestOf(fn, toBinary(DirectorySchema, root as Directory));
}

/** Stores a folder as one Tree message and its files, and no directory; returns the Tree's digest. */
export async function putTree(blobs: BlobStore, folder: Folder, fn: DigestFunction = sha256): Promise<Digest> {
  const [root, ...children] = await putFolder(blobs, folder, fn, false);
  return putBlob(blobs, toBinary(TreeSchema, create(TreeSchema, { root: root as Directory, children })), fn);
}
