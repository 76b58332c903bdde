import { type DigestList, isEmptyHash } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../base/protobuf.ts";

const filesTag = tagOf(1, wireBytes);
const directoriesTag = tagOf(2, wireBytes);
/** FileNode.digest and DirectoryNode.digest alike. */
const digestTag = tagOf(2, wireBytes);
const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);

/** Where the digests of a directory's entries go. Both lists have the function of the tree. */
export interface Children {
  readonly files: DigestList;
  readonly directories: DigestList;
}

/**
 * Appends the digests of the files and directories in the encoded Directory that lies from `start` to `end`
 * (remote_execution.proto: Directory.files = 1, .directories = 2; in both kinds of nodes, digest = 2). Names are not looked at, and empty blobs,
 * which are always there, are left out. Errors: `invalid` for what is no Directory, or has an entry without a digest of the tree's function.
 */
export function readChildren(bytes: Uint8Array, start: number, end: number, into: Children): void {
  const reader = new ProtobufReader(bytes, start, end);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === filesTag) readNode(bytes, reader.start, reader.end, into.files);
    else if (tag === directoriesTag) readNode(bytes, reader.start, reader.end, into.directories);
  }
}

/** Appends the digests of the directories alone, empty ones included. Errors: as `readChildren`. */
export function readDirectories(bytes: Uint8Array, into: DigestList): void {
  const reader = new ProtobufReader(bytes);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (tag === directoriesTag) readNode(bytes, reader.start, reader.end, into, true);
  }
}

function readNode(bytes: Uint8Array, start: number, end: number, into: DigestList, withEmpty = false): void {
  let hashStart = start;
  let hashEnd = start;
  let size = 0;
  const node = new ProtobufReader(bytes, start, end);
  for (let tag = node.field(); tag !== 0; tag = node.field()) {
    if (tag !== digestTag) continue;
    // A message that comes twice is merged: what the second leaves out stays as the first has it.
    const digest = new ProtobufReader(bytes, node.start, node.end);
    for (let inner = digest.field(); inner !== 0; inner = digest.field()) {
      if (inner === hashTag) {
        hashStart = digest.start;
        hashEnd = digest.end;
      } else if (inner === sizeTag) size = digest.value;
    }
  }
  if (size === 0 && !withEmpty && isEmptyHash(into.function, bytes, hashStart, hashEnd)) return;
  if (into.pushHex(bytes, hashStart, hashEnd, size)) return;
  throw new StillageError("invalid", "a directory has an entry without a proper digest");
}
