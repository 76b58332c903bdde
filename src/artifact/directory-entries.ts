import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { digestOfHex } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../base/protobuf.ts";
import { readMessage } from "../cache/read-message.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { filePropertiesTag, modifiedTime } from "./node-time.ts";
import { byName } from "./tree-node.ts";

export type Entry =
  | {
      readonly type: "file";
      readonly name: string;
      readonly digest: Digest;
      readonly executable: boolean;
      /** Bytes of the content, which are not those of the blob where that is deflated. */
      readonly size: number;
      /** In seconds since 1970; left out where nothing tells. */
      readonly modified?: number;
    }
  | { readonly type: "directory"; readonly name: string; readonly digest: Digest }
  | { readonly type: "symlink"; readonly name: string; readonly target: string };

/** A directory that is listed is in memory whole. Those of real systems have some thousand entries. */
export const maxListedBytes = 8 << 20;
export const maxEntries = 100_000;

const typeOfTag = new Map<number, Entry["type"]>([
  [tagOf(1, wireBytes), "file"],
  [tagOf(2, wireBytes), "directory"],
  [tagOf(3, wireBytes), "symlink"],
]);
const nameTag = tagOf(1, wireBytes);
/** FileNode.digest and DirectoryNode.digest; SymlinkNode.target has the same tag. */
const contentTag = tagOf(2, wireBytes);
const executableTag = tagOf(4, wireVarint);
const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);

/** The entries of a stored Directory by name; `undefined` where it is not there. Errors: `invalid` for what is none, or is too large to be listed. */
export async function readEntries(blobs: BlobReader, digest: Digest): Promise<Entry[] | undefined> {
  if (digest.size > maxListedBytes) {
    throw new StillageError("invalid", `a directory of ${digest.size} bytes is too large to be listed`);
  }
  const bytes = await readMessage(blobs, digest);
  return bytes && parseEntries(bytes, digest.function);
}

/**
 * The entry of a name in a stored Directory, which may have any number of others: nothing is made of those. `undefined` where the directory is not
 * there, `none` where the entry is not. Errors: as `readEntries`, of the directory and that entry.
 */
export async function readEntry(blobs: BlobReader, digest: Digest, name: string): Promise<Entry | "none" | undefined> {
  const bytes = await readMessage(blobs, digest);
  if (bytes === undefined) return undefined;
  const wanted = Buffer.from(name);
  const reader = new ProtobufReader(bytes);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    const type = typeOfTag.get(tag);
    if (type === undefined || !isNamed(bytes, reader.start, reader.end, wanted)) continue;
    return parseNode(bytes, reader.start, reader.end, type, digest.function);
  }
  return "none";
}

function isNamed(bytes: Uint8Array, start: number, end: number, wanted: Buffer): boolean {
  if (end - start < wanted.length) return false;
  const node = new ProtobufReader(bytes, start, end);
  for (let tag = node.field(); tag !== 0; tag = node.field()) {
    if (tag === nameTag && wanted.equals(node.view())) return true;
  }
  return false;
}

/**
 * The entries of an encoded Directory (remote_execution.proto: Directory.files = 1, .directories = 2, .symlinks = 3), in the order of their
 * names' UTF-16 code units, whatever theirs was. Errors: `invalid` for what is no Directory, has more than `limit` entries, one without a
 * proper digest, or a name that no file can have.
 */
export function parseEntries(bytes: Uint8Array, fn: DigestFunction, limit = maxEntries): Entry[] {
  const entries: Entry[] = [];
  const reader = new ProtobufReader(bytes);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    const type = typeOfTag.get(tag);
    if (type === undefined) continue;
    if (entries.length === limit) {
      throw new StillageError("invalid", `a directory of more than ${limit} entries is too large to be listed`);
    }
    entries.push(parseNode(bytes, reader.start, reader.end, type, fn));
  }
  return entries.sort(byName);
}

/** Whether a file can be called so. */
export function mayBeName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

function parseNode(bytes: Uint8Array, start: number, end: number, type: Entry["type"], fn: DigestFunction): Entry {
  const node = new ProtobufReader(bytes, start, end);
  let name = "";
  let target = "";
  let digest: Digest | undefined;
  let executable = false;
  let modified: number | undefined;
  for (let tag = node.field(); tag !== 0; tag = node.field()) {
    if (tag === nameTag) name = node.text();
    else if (tag === executableTag && type === "file") executable = node.value !== 0;
    else if (tag === filePropertiesTag && type === "file") modified = modifiedTime(bytes, node.start, node.end);
    else if (tag !== contentTag) continue;
    else if (type === "symlink") target = node.text();
    else digest = parseDigestMessage(bytes, node.start, node.end, fn);
  }
  if (!mayBeName(name)) {
    throw new StillageError("invalid", "a directory has an entry with a name that no file can have");
  }
  if (type === "symlink") return { type, name, target };
  if (digest === undefined) throw new StillageError("invalid", "a directory has an entry without a proper digest");
  if (type === "directory") return { type, name, digest };
  return { type, name, digest, executable, size: digest.size, ...(modified !== undefined && { modified }) };
}

function parseDigestMessage(bytes: Uint8Array, start: number, end: number, fn: DigestFunction): Digest | undefined {
  const message = new ProtobufReader(bytes, start, end);
  let from = start;
  let to = start;
  let size = 0;
  for (let tag = message.field(); tag !== 0; tag = message.field()) {
    if (tag === hashTag) [from, to] = [message.start, message.end];
    else if (tag === sizeTag) size = message.value;
  }
  return digestOfHex(fn, bytes, from, to, size);
}
