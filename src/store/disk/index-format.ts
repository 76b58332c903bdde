import { crc32 } from "node:zlib";
import type { DigestFunction } from "../../base/digest-function.ts";
import { FileWindow } from "./file-window.ts";

/**
 * An index file: a header of 16 bytes, then blocks, each of a head of 16 bytes and records (docs/STORE.md, "Index files").
 * All numbers are unsigned, 32 bits, little-endian.
 */
export const indexHeaderLength = 16;
export const blockHeadLength = 16;
const indexMagic = "stillidx";
const indexVersion = 1;
export const blockMagic = 0x4b4c4249; // "IBLK"

/** Records of a block, at most: what a reader must hold at once. */
export const maxBlockRecords = 1 << 16;

/** Words of a record after the hash: offset, size, upper part of the size with the kind in its top byte, last use. */
const recordFields = 4;

/** What a record says of the blob at its offset (or in the file of that serial number). */
export type RecordKind = typeof present | typeof removed;
export const present = 1;
export const removed = 2;

export function recordWords(fn: DigestFunction): number {
  return fn.words + recordFields;
}

export function indexHeader(fn: DigestFunction): Buffer {
  const header = Buffer.alloc(indexHeaderLength);
  header.write(indexMagic, "latin1");
  header.writeUInt32LE(indexVersion, 8);
  header.writeUInt32LE(fn.value, 12);
  return header;
}

/** A record as it is handed about; the hash begins at `words[word]`. */
export interface IndexRecord {
  readonly kind: RecordKind;
  readonly words: Uint32Array;
  readonly word: number;
  readonly offset: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly used: number;
}

export function writeRecord(into: Uint32Array, at: number, fn: DigestFunction, record: IndexRecord): void {
  for (let w = 0; w < fn.words; w++) into[at + w] = record.words[record.word + w] as number;
  const end = at + fn.words;
  into[end] = record.offset;
  into[end + 1] = record.size;
  into[end + 2] = Math.floor(record.size / 0x100000000) + record.kind * 0x1000000;
  into[end + 3] = record.used;
}

/** Whether the record at `records[at]` says that its blob is there. */
export function isPresent(records: Uint32Array, at: number, fn: DigestFunction): boolean {
  return (records[at + fn.words + 2] as number) >>> 24 === present;
}

/** One block of the first `count` records, ready to be written. `covered` as in `IndexBlock`. */
export function encodeBlock(fn: DigestFunction, records: Uint32Array, count: number, covered: number): Uint8Array {
  const words = count * recordWords(fn);
  const block = new Uint32Array(blockHeadLength / 4 + words);
  block[0] = blockMagic;
  block[1] = count;
  block[2] = covered;
  block.set(records.subarray(0, words), 4);
  block[3] = checksum(block);
  return new Uint8Array(block.buffer);
}

/** The records of one block. */
export interface IndexBlock {
  readonly count: number;
  /** `count` records of `recordWords` words each; valid until the next block is read. */
  readonly records: Uint32Array;
  /** The pack's records up to this position are listed by this block and those before it. */
  readonly covered: number;
  /** Where the block ends in the index file. */
  readonly end: number;
}

/** Reads blocks up to the file's end or to the first that does not verify: what follows that one is not trusted. */
export function* readBlocks(fd: number, size: number, fn: DigestFunction): Generator<IndexBlock, void> {
  const window = new FileWindow(fd, size);
  if (!window.view(0, indexHeaderLength).equals(indexHeader(fn))) return;
  for (let at = indexHeaderLength; at + blockHeadLength <= size; ) {
    const head = words(window.view(at, blockHeadLength));
    const count = head[1] as number;
    if (head[0] !== blockMagic || count > maxBlockRecords) return;
    const length = blockHeadLength + count * recordWords(fn) * 4;
    if (at + length > size) return;
    const block = words(window.view(at, length));
    if (block[3] !== checksum(block)) return;
    at += length;
    yield { count, records: block.subarray(blockHeadLength / 4), covered: block[2] as number, end: at };
  }
}

/** CRC-32 of a block but for the word that holds it. */
function checksum(block: Uint32Array): number {
  const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
  return crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12)));
}

/** Index files are read in place: blocks begin at multiples of four. */
function words(bytes: Buffer<ArrayBuffer>): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}
