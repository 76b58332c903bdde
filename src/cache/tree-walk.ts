import { decode } from "../base/decode.ts";
import { type Digest, parseDigest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { readMessage } from "./read-message.ts";

/** What fits, beside its frame and a page token, the 4 MiB that clients take in a message: some 40,000 entries. */
const maxSentBytes = (4 << 20) - 512;

/** Directories of one tree. A whole operating system with its sources has some 100,000. */
export const maxTreeDirectories = 1_000_000;

/**
 * The encoded Directory messages below `root`, breadth first, each once; what is not there is left out.
 * Errors: `not-found` for the root, `invalid` for a blob that is no directory, `exhausted` for a tree beyond the limits.
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
    for (const node of decode(DirectorySchema, encoded).directories) {
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

function readDirectory(blobs: BlobStore, digest: Digest): Promise<Uint8Array | undefined> {
  if (digest.size <= maxSentBytes) return readMessage(blobs, digest);
  throw new StillageError("exhausted", `the directory ${showDigest(digest)} does not fit a message`, {
    hint: "read its tree directory by directory, as blobs",
  });
}
