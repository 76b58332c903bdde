import type { Entry } from "./directory-entries.ts";

/** An entry of a directory, whatever that is stored as. */
export type TreeNode = KnownNode | ObjectNode;

/** One of which all is known that is told. */
export type KnownNode = Entry | LostDirectory;

/** A directory of an OSTree commit that is not here, and so has no size. */
export interface LostDirectory {
  readonly type: "directory";
  readonly name: string;
  readonly digest: undefined;
}

/** A file or link of an OSTree commit: which of them it is, its file object says. */
export interface ObjectNode {
  readonly type: "object";
  readonly name: string;
  /** Of the file object. */
  readonly checksum: string;
}

/** The order in which entries are listed. */
export function byName(a: TreeNode, b: TreeNode): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
