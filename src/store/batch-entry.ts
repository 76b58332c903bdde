import type { DigestFunction } from "../base/digest-function.ts";
import type { DigestList } from "../base/digest-list.ts";
import { varintLength, writeVarint } from "../base/protobuf.ts";

/**
 * An entry of a BatchReadBlobsResponse (remote_execution.proto), as it goes over the wire and lies in packs:
 *
 *     0x0a varint(rest) { 0x0a varint(name) { 0x0a hexLength hash 0x10 varint(size) } 0x12 varint(size) data }
 *
 * All before the data is the head; its length follows from the function and the size.
 */
export const tagEntry = 0x0a; // BatchReadBlobsResponse.responses
const tagDigest = 0x0a; // Response.digest
const tagHash = 0x0a; // Digest.hash
const tagSize = 0x10; // Digest.size_bytes
const tagData = 0x12; // Response.data

/** More than the longest head: five tags, 128 hex digits, two lengths of two bytes, and three numbers of at most eight. */
export const maxHeadLength = 168;

/** Bytes of the entry before its data. */
export function headLength(fn: DigestFunction, size: number): number {
  const rest = restLength(fn, size);
  return 1 + varintLength(rest) + rest - size;
}

/** Bytes of the whole entry. */
export function entryLength(fn: DigestFunction, size: number): number {
  const rest = restLength(fn, size);
  return 1 + varintLength(rest) + rest;
}

/** Where the parts of a message lie whose fields are those of an entry, whatever its own tag is. */
export interface EntryPlaces {
  /** What is behind the tag and the length. */
  readonly start: number;
  readonly end: number;
  /** The first field's bytes, and those of its own first field. */
  readonly digestStart: number;
  readonly hashStart: number;
  /** The last field's bytes. */
  readonly dataEnd: number;
}

/**
 * Whether a message that was found to have this hash and size, and as many bytes of data, is an entry byte for byte, but for its tag, which is `tag`.
 * An entry is the shortest message that says as much: no number in one of its length takes more bytes than it has to, and nothing else is in it. What is left to see is the order.
 */
export function isEntry(
  fn: DigestFunction,
  size: number,
  bytes: Uint8Array,
  tag: number,
  places: EntryPlaces,
): boolean {
  const { start, end, digestStart, hashStart, dataEnd } = places;
  const rest = restLength(fn, size);
  return (
    end - start === rest &&
    bytes[start - varintLength(rest) - 1] === tag &&
    digestStart === start + 1 + varintLength(digestLength(fn, size)) &&
    hashStart === digestStart + 1 + varintLength(fn.hexLength) &&
    dataEnd === end
  );
}

/** Writes the head of the blob whose hash begins at `words[word]`, and returns the position after it. */
export function writeHead(
  into: Uint8Array,
  at: number,
  fn: DigestFunction,
  words: Uint32Array,
  word: number,
  size: number,
): number {
  let pos = at;
  into[pos++] = tagEntry;
  pos = writeVarint(into, pos, restLength(fn, size));
  into[pos++] = tagDigest;
  pos = writeVarint(into, pos, digestLength(fn, size));
  into[pos++] = tagHash;
  pos = writeVarint(into, pos, fn.hexLength);
  for (let w = word; w < word + fn.words; w++) {
    const value = words[w] as number;
    for (let shift = 28; shift >= 0; shift -= 4) into[pos++] = digits[(value >>> shift) & 15] as number;
  }
  into[pos++] = tagSize;
  pos = writeVarint(into, pos, size);
  into[pos++] = tagData;
  return writeVarint(into, pos, size);
}

/** Whether the bytes at `at` are the head of exactly this blob. */
export function headMatches(
  bytes: Uint8Array,
  at: number,
  fn: DigestFunction,
  words: Uint32Array,
  word: number,
  size: number,
): boolean {
  const length = writeHead(scratch, 0, fn, words, word, size);
  if (at + length > bytes.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== scratch[i]) return false;
  return true;
}

/** The whole entry of blob `i` of a list, whose bytes are `data`. */
export function encodeEntry(digests: DigestList, i: number, data: Uint8Array): Uint8Array {
  const { function: fn, words } = digests;
  const entry = new Uint8Array(entryLength(fn, data.length));
  entry.set(data, writeHead(entry, 0, fn, words, i * fn.words, data.length));
  return entry;
}

const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const scratch = new Uint8Array(maxHeadLength);

function digestLength(fn: DigestFunction, size: number): number {
  return 1 + varintLength(fn.hexLength) + fn.hexLength + 1 + varintLength(size);
}

function restLength(fn: DigestFunction, size: number): number {
  const digest = digestLength(fn, size);
  return 1 + varintLength(digest) + digest + 1 + varintLength(size) + size;
}
