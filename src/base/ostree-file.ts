import { createHash } from "node:crypto";
import { StillageError } from "./errors.ts";
import { decode, encode } from "./gvariant/gvariant.ts";
import type { SyncHash } from "./hash.ts";

/** An extended attribute: its name ends with a zero byte, its value does not. */
export interface Xattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** What OSTree keeps of a file or symbolic link besides its content. */
export interface FileHeader {
  readonly uid: number;
  readonly gid: number;
  /** With the bits of the type: `fileType` or `linkType`. */
  readonly mode: number;
  /** Where a symbolic link leads to; empty for a file. */
  readonly symlink: string;
  /** In the order of their names. */
  readonly xattrs: readonly Xattr[];
}

export const typeBits = 0o170000;
export const fileType = 0o100000;
export const linkType = 0o120000;

/** Bytes of a header. The list of a file's attributes is at most 64 KiB on Linux, as is each value, and few files have any. */
export const maxHeaderBytes = 256 * 1024;

const framing = 8;
const sizedType = "(tuuuusa(ayay))";
const plainType = "(uuuusa(ayay))";

export function isSymlink({ mode }: FileHeader): boolean {
  return (mode & typeBits) === linkType;
}

/** What stands at the beginning of a `.filez`: the header with the size of the plain content, which is 0 for links. Errors: `invalid`. */
export function filezHead(header: FileHeader, size: number): Uint8Array<ArrayBuffer> {
  const { uid, gid, mode, symlink, xattrs } = header;
  checkHeader(header, size);
  return framed(encode(sizedType, [BigInt(size), uid, gid, mode, 0, symlink, pairs(xattrs)], { bigEndian: true }));
}

/** What is hashed before the plain content: the header without the size. Errors: `invalid`. */
export function checksumHead(header: FileHeader): Uint8Array<ArrayBuffer> {
  const { uid, gid, mode, symlink, xattrs } = header;
  return framed(encode(plainType, [uid, gid, mode, 0, symlink, pairs(xattrs)], { bigEndian: true }));
}

const pairs = (xattrs: readonly Xattr[]) => xattrs.map(({ name, value }) => [name, value]);

/** The length of a header, four zero bytes, the header. */
function framed(header: Uint8Array): Uint8Array<ArrayBuffer> {
  if (header.length > maxHeaderBytes) bad(`its header of ${header.length} bytes is too large`);
  const bytes = new Uint8Array(framing + header.length);
  new DataView(bytes.buffer).setUint32(0, header.length);
  bytes.set(header, framing);
  return bytes;
}

export interface FilezHead {
  readonly header: FileHeader;
  /** Bytes of the plain content. */
  readonly size: number;
  /** Where the deflated content begins. */
  readonly headLength: number;
}

/** Reads how a `.filez` begins; `undefined` where `bytes` are too few to tell. Errors: `invalid`. */
export function parseFilezHead(bytes: Uint8Array): FilezHead | undefined {
  if (bytes.length < framing) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, framing);
  const headLength = framing + view.getUint32(0);
  if (headLength > framing + maxHeaderBytes) bad(`its header of ${headLength - framing} bytes is too large`);
  if (view.getUint32(4) !== 0) bad("the bytes before its header are not zero");
  if (bytes.length < headLength) return undefined;
  // The header outlives the bytes, which may be a small part of a large buffer.
  const value = decode(sizedType, bytes.slice(framing, headLength), { bigEndian: true });
  const [long, uid, gid, mode, rdev, symlink, list] = value as [bigint, number, number, number, number, string, Pair[]];
  if (long > BigInt(Number.MAX_SAFE_INTEGER)) bad(`its size is ${long}`);
  if (rdev !== 0) bad("it is of a device");
  const size = Number(long);
  const header = { uid, gid, mode, symlink, xattrs: list.map(([name, value]) => ({ name, value })) };
  checkHeader(header, size);
  return { header, size, headLength };
}

type Pair = readonly [name: Uint8Array, value: Uint8Array];

function checkHeader({ mode, symlink, xattrs }: FileHeader, size: number): void {
  const type = mode & typeBits;
  if (mode < 0 || mode > 0o177777 || (type !== fileType && type !== linkType)) {
    bad(`mode ${mode.toString(8)} is neither that of a file nor of a symbolic link`);
  }
  if (type === linkType && (symlink === "" || size !== 0)) bad("a symbolic link has a target and no content");
  if (type === fileType && symlink !== "") bad("a file has no target");
  checkXattrs(xattrs);
}

/** Checks that attributes have names, in their order and each once. Errors: `invalid`. */
export function checkXattrs(xattrs: readonly Xattr[]): void {
  let before: Uint8Array | undefined;
  for (const { name } of xattrs) {
    if (name.length < 2 || name.indexOf(0) !== name.length - 1)
      bad("an extended attribute has no name that ends with NUL");
    if (before !== undefined && Buffer.compare(before, name) >= 0) bad("its extended attributes are not in order");
    before = name;
  }
}

function bad(why: string): never {
  throw new StillageError("invalid", `no OSTree file object: ${why}`);
}

/** The hash of a file object, to which the plain content is still to be given. Errors: `invalid`. */
export function fileChecksum(header: FileHeader): SyncHash {
  const hash = createHash("sha256");
  hash.update(checksumHead(header));
  return hash;
}
