import type { Digest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { isSymlink } from "../base/ostree-file.ts";
import { readFileObject } from "../cache/file-object.ts";
import { readMessage } from "../cache/read-message.ts";
import { type DirTree, decodeDirTree, type TreeDirectory } from "../ostree/dirtree.ts";
import { unknownSize } from "../ostree/tree-checksums.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { maxEntries, maxListedBytes } from "./directory-entries.ts";
import { byName, type KnownNode, type TreeNode } from "./tree-node.ts";

/** The digest of a blob of which a commit or dirtree names the hash alone; `undefined` where it is not there. */
export async function digestOfChecksum(blobs: BlobReader, checksum: string): Promise<Digest | undefined> {
  const size = await blobs.sizeOf(sha256, checksum);
  return size === undefined ? undefined : { function: sha256, hash: checksum, size };
}

/** The entries of a stored dirtree by name; `undefined` where it is not there. Errors: `invalid` for what is none, or is too large to be listed. */
export async function readTreeEntries(blobs: BlobReader, digest: Digest): Promise<TreeNode[] | undefined> {
  const tree = await readTree(blobs, digest);
  if (tree === undefined) return undefined;
  if (tree.files.length + tree.directories.length > maxEntries) {
    throw new StillageError("invalid", `a directory of more than ${maxEntries} entries is too large to be listed`);
  }
  const files = tree.files.map(({ name, checksum }): TreeNode => ({ type: "object", name, checksum }));
  return [...files, ...(await directoryEntries(blobs, tree.directories))].sort(byName);
}

/** The entry of a name in a stored dirtree: `undefined` where the dirtree is not there, `none` where the entry is not. Errors: as `readTreeEntries`. */
export async function readTreeEntry(
  blobs: BlobReader,
  digest: Digest,
  name: string,
): Promise<TreeNode | "none" | undefined> {
  const tree = await readTree(blobs, digest);
  if (tree === undefined) return undefined;
  const file = tree.files.find((each) => each.name === name);
  if (file !== undefined) return { type: "object", name, checksum: file.checksum };
  const directory = tree.directories.find((each) => each.name === name);
  if (directory === undefined) return "none";
  return directoryNode(name, await digestOfChecksum(blobs, directory.tree));
}

function directoryNode(name: string, digest: Digest | undefined): TreeNode {
  return digest === undefined ? { type: "directory", name, digest } : { type: "directory", name, digest };
}

async function readTree(blobs: BlobReader, digest: Digest): Promise<DirTree | undefined> {
  if (digest.size > maxListedBytes) {
    throw new StillageError("invalid", `a directory of ${digest.size} bytes is too large to be listed`);
  }
  const bytes = await readMessage(blobs, digest);
  return bytes && decodeDirTree(bytes);
}

/** The directories of a dirtree, with their sizes, for which the store is asked once. */
async function directoryEntries(blobs: BlobReader, directories: readonly TreeDirectory[]): Promise<TreeNode[]> {
  if (directories.length === 0) return [];
  const hashes = new DigestList(sha256, directories.length);
  for (const { tree } of directories) hashes.push({ function: sha256, hash: tree, size: unknownSize });
  const sizes = await blobs.sizesOf(hashes);
  return directories.map(({ name, tree }, i) => {
    const size = sizes[i] ?? -1;
    return directoryNode(name, size < 0 ? undefined : { function: sha256, hash: tree, size });
  });
}

/** An entry with all that is told of it: whether an object is a file or a link. `undefined` where that is not here. Errors: `invalid` for what is none. */
export async function knownNode(blobs: BlobReader, entry: TreeNode): Promise<KnownNode | undefined> {
  if (entry.type !== "object") return entry;
  const { name } = entry;
  const found = await readFileObject(blobs, entry.checksum);
  if (found === undefined) return undefined;
  const { digest, header, size } = found;
  if (isSymlink(header)) return { type: "symlink", name, target: header.symlink };
  return { type: "file", name, digest, size, executable: (header.mode & ownerMayRun) !== 0 };
}

const ownerMayRun = 0o100;
