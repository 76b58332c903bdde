import { type FileHeader, fileType, linkType, typeBits } from "../base/ostree-file.ts";
import { type DirMeta, directoryType } from "./dirmeta.ts";

/** What canonical permissions leave of those of a file or directory: no setuid, setgid, sticky, and no writing by others. */
const kept = 0o755;

/** A mode as `ostree commit --canonical-permissions` makes it: that of a symbolic link stays as it is. */
export function canonicalMode(mode: number): number {
  const type = mode & typeBits;
  return type === linkType ? mode : type | (mode & kept);
}

/** A file of root, without attributes. `mode` may lack the bits of the type. */
export function canonicalFile(mode: number): FileHeader {
  return { uid: 0, gid: 0, mode: canonicalMode(fileType | (mode & ~typeBits)), symlink: "", xattrs: [] };
}

/** A symbolic link of root, without attributes. */
export function canonicalLink(target: string): FileHeader {
  return { uid: 0, gid: 0, mode: linkType | 0o777, symlink: target, xattrs: [] };
}

/** A directory of root, without attributes. `mode` may lack the bits of the type. */
export function canonicalDirectory(mode: number): DirMeta {
  return { uid: 0, gid: 0, mode: canonicalMode(directoryType | (mode & ~typeBits)), xattrs: [] };
}
