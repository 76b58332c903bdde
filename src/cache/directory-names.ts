import { StillageError } from "../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../base/protobuf.ts";

// Directory.files = 1, .directories = 2, .symlinks = 3; in all kinds of nodes, name = 1 (remote_execution.proto).
const nodeTags = [1, 2, 3].map((field) => tagOf(field, wireBytes));
const nameTag = tagOf(1, wireBytes);

const [slash, dot] = [0x2f, 0x2e];

/**
 * Why no file system has a directory with the names in the encoded Directory that lies from `start` to `end`; `undefined` where one may. Every child has one segment of a path to itself
 * (remote_execution.proto, Directory): by `..`, or by a link and a directory of one name, whoever makes files of it would write elsewhere. Errors: `invalid` for what is no Directory.
 */
export function wrongNames(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const hashes = new Set<number>();
  let count = 0;
  const areNames = everyName(bytes, start, end, (from, to) => {
    const hash = hashOfName(bytes, from, to);
    if (hash === undefined) return false;
    hashes.add(hash);
    count += 1;
    return true;
  });
  if (!areNames) return "has an entry with a name that no file can have";
  // Of many thousand names two may have one hash.
  return hashes.size < count && hasTwice(bytes, start, end) ? "has two entries of one name" : undefined;
}

/** The same as an error, of code `invalid`. */
export function checkNames(bytes: Uint8Array, start: number, end: number): void {
  const why = wrongNames(bytes, start, end);
  if (why !== undefined) throw new StillageError("invalid", `a directory ${why}`);
}

function hasTwice(bytes: Uint8Array, start: number, end: number): boolean {
  const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const names = new Set<string>();
  return !everyName(bytes, start, end, (from, to) => {
    const name = memory.toString("latin1", from, to);
    if (names.has(name)) return false;
    names.add(name);
    return true;
  });
}

/** Gives where each name lies, and ends with false where `take` does. Of several in one node the last one counts. */
function everyName(
  bytes: Uint8Array,
  start: number,
  end: number,
  take: (start: number, end: number) => boolean,
): boolean {
  const reader = new ProtobufReader(bytes, start, end);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (!nodeTags.includes(tag)) continue;
    let [from, to] = [reader.start, reader.start];
    const node = new ProtobufReader(bytes, reader.start, reader.end);
    for (let inner = node.field(); inner !== 0; inner = node.field()) {
      if (inner === nameTag) [from, to] = [node.start, node.end];
    }
    if (!take(from, to)) return false;
  }
  return true;
}

/** Of 30 bits (FNV-1a, folded); `undefined` for what no file can be called. */
function hashOfName(bytes: Uint8Array, start: number, end: number): number | undefined {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === slash || byte === 0) return undefined;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const length = end - start;
  const isDots = bytes[start] === dot && (length === 1 || (length === 2 && bytes[start + 1] === dot));
  return length === 0 || isDots ? undefined : (hash ^ (hash >>> 30)) & 0x3fffffff;
}
