import { StillageError } from "../base/errors.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import { checkXattrs, typeBits, type Xattr } from "../base/ostree-file.ts";
import { checkMetadataSize, reading } from "./metadata-limit.ts";

/** What OSTree keeps of a directory besides its entries. */
export interface DirMeta {
  readonly uid: number;
  readonly gid: number;
  /** With the bits of the type, `directoryType`. */
  readonly mode: number;
  /** In the order of their names. */
  readonly xattrs: readonly Xattr[];
}

export const directoryType = 0o040000;

/** The numbers are big-endian. */
const dirMetaType = "(uuua(ayay))";
const byteOrder = { bigEndian: true };

/** Errors: `invalid`. */
export function decodeDirMeta(bytes: Uint8Array): DirMeta {
  checkMetadataSize("dirmeta", bytes);
  return reading("dirmeta", () => {
    const [uid, gid, mode, list] = decode(dirMetaType, bytes, byteOrder) as [number, number, number, Pair[]];
    const meta = { uid, gid, mode, xattrs: list.map(([name, value]) => ({ name, value })) };
    check(meta);
    return meta;
  });
}

type Pair = readonly [name: Uint8Array, value: Uint8Array];

/** Errors: `invalid`. */
export function encodeDirMeta(meta: DirMeta): Uint8Array<ArrayBuffer> {
  check(meta);
  const { uid, gid, mode, xattrs } = meta;
  const bytes = encode(dirMetaType, [uid, gid, mode, xattrs.map(({ name, value }) => [name, value])], byteOrder);
  checkMetadataSize("dirmeta", bytes);
  return bytes;
}

function check({ mode, xattrs }: DirMeta): void {
  if (mode < 0 || mode > 0o177777 || (mode & typeBits) !== directoryType) {
    throw new StillageError("invalid", `mode ${mode.toString(8)} is not that of a directory`);
  }
  checkXattrs(xattrs);
}
