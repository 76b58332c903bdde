import type { Digest } from "../base/digest.ts";
import type { Generation } from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { readTreeEntries, readTreeEntry } from "./commit-entries.ts";
import { readEntries, readEntry } from "./directory-entries.ts";
import type { TreeNode } from "./tree-node.ts";

/** What the directories of a tree are stored as. */
export interface TreeFormat {
  /** The entries of a directory by name; `undefined` where it is not there. Errors: `invalid` for what is none, or is too large to be listed. */
  readonly readEntries: (blobs: BlobReader, digest: Digest) => Promise<TreeNode[] | undefined>;
  /** The entry of a name: `undefined` where the directory is not there, `none` where the entry is not. Errors: as `readEntries`. */
  readonly readEntry: (blobs: BlobReader, digest: Digest, name: string) => Promise<TreeNode | "none" | undefined>;
}

/** Directory messages of the Remote Execution API. */
export const directoryMessages: TreeFormat = { readEntries, readEntry };

/** The dirtrees of OSTree. */
export const dirtrees: TreeFormat = { readEntries: readTreeEntries, readEntry: readTreeEntry };

export function formatOf(generation: Generation): TreeFormat {
  return generation === "1.0" ? dirtrees : directoryMessages;
}
