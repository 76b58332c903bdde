import type { DirectoryEntry, TreeEntry } from "../ostree/archive/tree-entry.ts";

/** How far a tree has been read. */
export interface TreeCount {
  /** Files and links. */
  files: number;
  /** Bytes of files that were opened. */
  bytes: number;
}

/** A tree that counts what is read of it. */
export function countedTree(root: DirectoryEntry, count: TreeCount): DirectoryEntry {
  return {
    ...root,
    entries: async function* () {
      for await (const entry of root.entries()) yield countedEntry(entry, count);
    },
  };
}

function countedEntry(entry: TreeEntry, count: TreeCount): TreeEntry {
  if (entry.kind === "directory") return countedTree(entry, count);
  count.files += 1;
  if (entry.kind === "file") count.bytes += entry.size;
  return entry;
}
