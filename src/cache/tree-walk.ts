import { fromBinary } from "@bufbuild/protobuf";
import { type Digest, parseDigest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { type Directory, DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";

/** A directory message of this size holds some 40,000 entries; beyond it, it is no directory that a build made. */
export const maxDirectoryBytes = 4 << 20;

/** Directories of one tree. A whole operating system with its sources has some 100,000. */
export const maxTreeDirectories = 1_000_000;

/**
 * The encoded Directory messages below `root`, breadth first, each once; what is not there is left out.
 * Errors: `not-found` for the root, `invalid` for a blob that is no directory, `exhausted` for a tree beyond the limit.
 */
export async function* directoriesOf(blobs: BlobStore, root: Digest): AsyncGenerator<Uint8Array> {
  const seen = new Set([root.hash]);
  const queue: Digest[] = [root];
  for (let next = 0; next < queue.length; next++) {
    const digest = queue[next] as Digest;
    const encoded = await readDirectory(blobs, digest);
    if (encoded === undefined) {
      if (digest === root) throw new StillageError("not-found", `the root ${showDigest(root)} is not in this cache`);
      continue;
    }
    for (const node of parseDirectory(encoded, digest).directories) {
      if (node.digest === undefined || seen.has(node.digest.hash)) continue;
      seen.add(node.digest.hash);
      queue.push(parseDigest(node.digest.hash, node.digest.sizeBytes, root.function));
    }
    if (queue.length > maxTreeDirectories) {
      throw new StillageError(
        "exhausted",
        `the tree of ${showDigest(root)} has over ${maxTreeDirectories} directories`,
      );
    }
    yield encoded;
  }
}

async function readDirectory(blobs: BlobStore, digest: Digest): Promise<Uint8Array | undefined> {
  if (digest.size > maxDirectoryBytes) {
    throw new StillageError("invalid", `${showDigest(digest)} is too large to be a directory`);
  }
  const blob = await blobs.open(digest);
  if (blob === undefined) return undefined;
  try {
    const bytes = new Uint8Array(digest.size);
    await blob.read(bytes, 0);
    return bytes;
  } finally {
    blob.close();
  }
}

function parseDirectory(encoded: Uint8Array, digest: Digest): Directory {
  try {
    return fromBinary(DirectorySchema, encoded);
  } catch (error) {
    throw new StillageError("invalid", `${showDigest(digest)} is no directory`, { cause: error });
  }
}
