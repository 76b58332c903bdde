import { type Digest, showDigest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { DigestSet } from "./digest-set.ts";
import { readDirectories } from "./directory-children.ts";
import { readMessage } from "./read-message.ts";

/** What fits, beside its frame and a page token, the 4 MiB that clients take in a message: some 40,000 entries. */
const maxSentBytes = (4 << 20) - 512;

/** Directories of one tree. A whole operating system with its sources has some 100,000. */
export const maxTreeDirectories = 1_000_000;

/**
 * The encoded Directory messages below `root`, breadth first, each once; what is not there is left out. Memory: one directory, and some
 * 50 bytes for each that was seen. Errors: `not-found` for the root, `invalid` for a blob that is no directory, `exhausted` for a tree beyond
 * the limits.
 */
export async function* directoriesOf(blobs: BlobReader, root: Digest): AsyncGenerator<Uint8Array> {
  const seen = new DigestSet(root.function);
  const queue = seen.items;
  seen.add(DigestList.of(root), 0);
  const children = new DigestList(root.function);
  for (let next = 0; next < queue.length; next++) {
    const encoded = await readDirectory(blobs, queue.at(next));
    if (encoded === undefined) {
      if (next === 0) throw new StillageError("not-found", `the root ${showDigest(root)} is not in this cache`);
      continue;
    }
    readDirectories(encoded, children);
    for (let i = 0; i < children.length; i++) seen.add(children, i);
    children.clear();
    if (queue.length > maxTreeDirectories) {
      throw new StillageError(
        "exhausted",
        `the tree of ${showDigest(root)} has over ${maxTreeDirectories} directories`,
      );
    }
    yield encoded;
  }
}

function readDirectory(blobs: BlobReader, digest: Digest): Promise<Uint8Array | undefined> {
  if (digest.size <= maxSentBytes) return readMessage(blobs, digest);
  throw new StillageError("exhausted", `the directory ${showDigest(digest)} does not fit a message`, {
    hint: "read its tree directory by directory, as blobs",
  });
}
