import type { Xattr } from "../../base/ostree-file.ts";
import type { Content } from "./put-file.ts";

/** What an entry has besides its mode, where permissions are not canonical: root and none, unless it is said. */
interface Ownership {
  readonly uid?: number;
  readonly gid?: number;
  /** In the order of their names. */
  readonly xattrs?: readonly Xattr[];
}

export interface FileEntry extends Ownership {
  readonly kind: "file";
  readonly name: string;
  /** Permissions; the bits of the type may be there or not. */
  readonly mode: number;
  /** Bytes of the content. */
  readonly size: number;
  /** The content from its beginning, the same each time: large files are read twice. A piece need be good only until the next is asked for. */
  open(): Content | Promise<Content>;
  /** Is called when nothing is used any more of what `open` gave. */
  done?(): void;
}

export interface LinkEntry extends Ownership {
  readonly kind: "symlink";
  readonly name: string;
  readonly target: string;
}

export interface DirectoryEntry extends Ownership {
  readonly kind: "directory";
  readonly name: string;
  readonly mode: number;
  /** Directories of which this is the same have the same entries, and the same mode and owner: they are looked at once. */
  readonly same?: string;
  entries(): AsyncIterable<TreeEntry> | Iterable<TreeEntry>;
}

/** A tree that is to be committed, wherever it comes from. The name of a root does not count. */
export type TreeEntry = FileEntry | LinkEntry | DirectoryEntry;
