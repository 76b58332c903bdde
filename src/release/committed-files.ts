import type { Digest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { hashOf } from "../base/hash.ts";
import { type FilezHead, isSymlink, maxHeaderBytes, parseFilezHead } from "../base/ostree-file.ts";
import { readMessage } from "../cache/read-message.ts";
import type { DirectoryEntry, TreeEntry } from "../ostree/archive/tree-entry.ts";
import { decodeCommit } from "../ostree/commit.ts";
import { decodeDirMeta } from "../ostree/dirmeta.ts";
import { type DirTree, decodeDirTree } from "../ostree/dirtree.ts";
import { readFilez } from "../ostree/filez.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { blobPieces, checkHash, gone } from "./blob-pieces.ts";

/** The directory of an artifact of BuildStream 1.0 that has what was built; beside it are `meta` and `logs`. */
const folder = "files";

/** Bytes in which most headers are whole. */
const firstBytes = 1024;

/**
 * What was built, of an artifact that is an OSTree commit in the store. File objects are inflated, and compared with their checksums, as a release has headers of its
 * own: those are root's, without extended attributes.
 * Errors, also while it is read: `not-found` for what is not in the store any more, `corrupt`, `failed-precondition` for a commit without files.
 */
export async function committedFiles(blobs: BlobReader, commit: Digest): Promise<DirectoryEntry> {
  const { tree } = decodeCommit(await readObject(blobs, commit.hash));
  const root = decodeDirTree(await readObject(blobs, tree));
  const files = root.directories.find(({ name }) => name === folder);
  if (files !== undefined) return directory(blobs, "", files);
  throw new StillageError(
    "failed-precondition",
    `the commit ${commit.hash} has no directory ${folder}: it is no artifact`,
  );
}

type TreeDirectory = DirTree["directories"][number];

async function directory(
  blobs: BlobReader,
  name: string,
  { tree, meta }: Pick<TreeDirectory, "tree" | "meta">,
): Promise<DirectoryEntry> {
  const { mode } = decodeDirMeta(await readObject(blobs, meta));
  return { kind: "directory", name, mode, entries: () => entriesOf(blobs, tree) };
}

async function* entriesOf(blobs: BlobReader, tree: string): AsyncGenerator<TreeEntry> {
  const { files, directories } = decodeDirTree(await readObject(blobs, tree));
  for (const { name, checksum } of files) yield await fileEntry(blobs, name, checksum);
  for (const each of directories) yield await directory(blobs, each.name, each);
}

async function fileEntry(blobs: BlobReader, name: string, checksum: string): Promise<TreeEntry> {
  const digest = await digestOf(blobs, ostree, checksum);
  const { header, size } = await headOf(blobs, digest);
  if (isSymlink(header)) return { kind: "symlink", name, target: header.symlink };
  const open = async () => (await readFilez(blobPieces(blobs.open(digest), digest), checksum)).content;
  return { kind: "file", name, mode: header.mode, size, open };
}

async function headOf(blobs: BlobReader, digest: Digest): Promise<FilezHead> {
  const blob = await blobs.open(digest);
  if (blob === undefined) throw gone(digest);
  try {
    for (const length of [firstBytes, maxHeaderBytes + firstBytes]) {
      const bytes = new Uint8Array(Math.min(length, digest.size));
      await blob.read(bytes, 0);
      const head = parseFilezHead(bytes);
      if (head !== undefined) return head;
    }
  } finally {
    blob.close();
  }
  throw new StillageError("corrupt", `the file object ${digest.hash} in the store is damaged`);
}

/** A commit, dirtree or dirmeta, whole and as its checksum says. */
async function readObject(blobs: BlobReader, checksum: string): Promise<Uint8Array> {
  const digest = await digestOf(blobs, sha256, checksum);
  if (digest.size > maxMetadataBytes) {
    throw new StillageError(
      "invalid",
      `the object ${checksum} of ${digest.size} bytes is too large for OSTree's metadata`,
    );
  }
  const bytes = await readMessage(blobs, digest);
  if (bytes === undefined) throw gone(digest);
  checkHash(digest, hashOf(sha256, bytes));
  return bytes;
}

async function digestOf(blobs: BlobReader, fn: Digest["function"], hash: string): Promise<Digest> {
  const size = await blobs.sizeOf(fn, hash);
  if (size === undefined) throw gone({ function: fn, hash, size: 0 });
  return { function: fn, hash, size };
}
