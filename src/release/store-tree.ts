import { parseEntries } from "../artifact/directory-entries.ts";
import { type Digest, isEmptyBlob } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { hashOf, runningHash } from "../base/hash.ts";
import { isPromise } from "../base/maybe-promise.ts";
import { readMessage } from "../cache/read-message.ts";
import { wholeBytes } from "../ostree/archive/put-file.ts";
import type { DirectoryEntry, TreeEntry } from "../ostree/archive/tree-entry.ts";
import type { Blob, BlobReader } from "../store/blob-store.ts";
import { blobPieces, checkHash, gone } from "./blob-pieces.ts";

/** A directory of some hundred thousand files. */
const maxDirectoryBytes = 32 << 20;

const directoryMode = 0o40755;
const fileMode = 0o100644;
const executableMode = 0o100755;

/**
 * A tree of Directory messages as what `bst artifact checkout` makes of it and `ostree commit --canonical-permissions` sees then, under the umask 022: files are 0644,
 * or 0755 where they are executable, and directories 0755. All that is read is compared with its digest, as a release is for long.
 * Errors while it is read: `not-found` for what is not in the store any more, `corrupt`, `invalid` for what is no directory.
 */
export function storeTree(blobs: BlobReader, root: Digest): DirectoryEntry {
  return directory(blobs, "", root);
}

function directory(blobs: BlobReader, name: string, digest: Digest): DirectoryEntry {
  const same = `${digest.function.name}/${digest.hash}/${digest.size}`;
  return { kind: "directory", name, mode: directoryMode, same, entries: () => entriesOf(blobs, digest) };
}

async function* entriesOf(blobs: BlobReader, digest: Digest): AsyncGenerator<TreeEntry> {
  if (digest.size > maxDirectoryBytes) {
    throw new StillageError("invalid", `a directory of ${digest.size} bytes is too large to be released`);
  }
  const bytes = isEmptyBlob(digest) ? new Uint8Array(0) : await readMessage(blobs, digest);
  if (bytes === undefined) throw gone(digest);
  checkHash(digest, hashOf(digest.function, bytes));
  for (const entry of parseEntries(bytes, digest.function)) {
    const { name } = entry;
    if (entry.type === "symlink") yield { kind: "symlink", name, target: entry.target };
    else if (entry.type === "directory") yield directory(blobs, name, entry.digest);
    else {
      const mode = entry.executable ? executableMode : fileMode;
      yield { kind: "file", name, mode, size: entry.digest.size, open: () => openFile(blobs, entry.digest) };
    }
  }
}

/** The content of a file: at once where the store gives it at once and it is small. */
function openFile(blobs: BlobReader, digest: Digest): Uint8Array | AsyncIterable<Uint8Array> {
  if (isEmptyBlob(digest)) return new Uint8Array(0);
  const opened = digest.size <= wholeBytes ? blobs.open(digest) : undefined;
  if (opened === undefined || isPromise(opened)) return checked(opened ?? blobs.open(digest), digest);
  const bytes = new Uint8Array(digest.size);
  const read = opened.read(bytes, 0);
  if (isPromise(read)) return onePiece(read, bytes, opened);
  opened.close();
  checkHash(digest, hashOf(digest.function, bytes));
  return bytes;
}

async function* onePiece(read: Promise<void>, bytes: Uint8Array, blob: Blob): AsyncGenerator<Uint8Array> {
  try {
    await read;
  } finally {
    blob.close();
  }
  checkHash(blob.digest, hashOf(blob.digest.function, bytes));
  yield bytes;
}

async function* checked(opened: ReturnType<BlobReader["open"]>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = runningHash(digest.function);
  for await (const piece of blobPieces(opened, digest)) {
    await hash.update(piece);
    yield piece;
  }
  checkHash(digest, await hash.digest("hex"));
}
