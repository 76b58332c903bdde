import { crc32 } from "node:zlib";
import { badArchive, showBytes } from "../../base/tar/archive-error.ts";
import { ByteSource } from "../../base/tar/byte-source.ts";
import type { Blob } from "../../store/blob-store.ts";
import { blobRange } from "./blob-range.ts";

/** An entry of the central directory (APPNOTE.TXT 6.3.10, section 4.3.12). */
export interface ZipRecord {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
  /** Type and permissions as of stat(2), where the archive comes from a Unix; else 0. */
  readonly mode: number;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const maxComment = 0xffff;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const end64Bytes = 56;
const recordSignature = 0x02014b50;
const recordBytes = 46;

const zip64Extra = 0x0001;
const unicodePathExtra = 0x7075;
const inZip64 = 0xffffffff;
const unix = 3;

/** The entries that the central directory lists, in its order. Errors: `failed-precondition`. */
export async function* readZipDirectory(blob: Blob, signal: AbortSignal): AsyncGenerator<ZipRecord> {
  const { start, end, count } = await findDirectory(blob);
  const source = new ByteSource(blobRange(blob, start, end, signal));
  for (let i = 0; i < count; i++) {
    const fixed = await source.take(recordBytes);
    if (fixed === undefined) throw badArchive("its directory ends early");
    const view = Buffer.from(fixed);
    if (view.readUInt32LE(0) !== recordSignature) throw badArchive("its directory is broken");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => view.readUInt16LE(at)) as [
      number,
      number,
      number,
    ];
    const rest = Buffer.from((await source.take(nameLength + extraLength + commentLength)) ?? []);
    yield parseRecord(view, rest.subarray(0, nameLength), rest.subarray(nameLength, nameLength + extraLength));
  }
}

function parseRecord(view: Buffer, name: Buffer, extra: Buffer): ZipRecord {
  let [compressedSize, size, offset] = [20, 24, 42].map((at) => view.readUInt32LE(at)) as [number, number, number];
  const wide = extraField(extra, zip64Extra);
  let at = 0;
  const widen = (value: number): number => {
    if (value !== inZip64 || wide === undefined) return value;
    if (at + 8 > wide.length) throw badArchive("a size is missing");
    at += 8;
    return number64(wide, at - 8);
  };
  // In this order those that do not fit stand in the extra field.
  [size, compressedSize, offset] = [widen(size), widen(compressedSize), widen(offset)];
  const mode = view.readUInt8(5) === unix ? view.readUInt16LE(40) : 0;
  const [flags, method, crc] = [view.readUInt16LE(8), view.readUInt16LE(10), view.readUInt32LE(16)];
  return { name: unicodeName(name, extra), flags, method, crc, compressedSize, size, offset, mode };
}

/** The name in UTF-8, where it stands in another encoding and, as Info-ZIP has it, in an extra field in that (section 4.6.9). */
function unicodeName(name: Buffer, extra: Buffer): Uint8Array {
  const field = extraField(extra, unicodePathExtra);
  if (field === undefined || field.length < 5 || field[0] !== 1 || field.readUInt32LE(1) !== crc32(name)) return name;
  return field.subarray(5);
}

function extraField(extra: Buffer, wanted: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) return undefined;
    if (extra.readUInt16LE(at) === wanted) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

/** Where the central directory is: the record at the very end of the file says so (sections 4.3.14 to 4.3.16). */
async function findDirectory(blob: Blob): Promise<{ start: number; end: number; count: number }> {
  const tailStart = Math.max(0, blob.digest.size - endBytes - maxComment);
  const tail = Buffer.alloc(blob.digest.size - tailStart);
  await blob.read(tail, tailStart);
  let at = tail.length - endBytes;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === endSignature && at + endBytes + tail.readUInt16LE(at + 20) === tail.length)
  )
    at--;
  if (at < 0) throw badArchive("its end is missing");
  let [count, length, start] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const disks = [tail.readUInt16LE(at + 4), tail.readUInt16LE(at + 6)];
  if (disks.some((disk) => disk !== 0 && disk !== 0xffff)) throw badArchive("it has several volumes");
  let end = tailStart + at;
  if (count === 0xffff || length === inZip64 || start === inZip64) {
    const wide = await findEnd64(blob, end);
    if (wide !== undefined) ({ count, length, start, end } = wide);
  }
  // With something in front of it, or behind the directory, every program reads it otherwise.
  if (start + length !== end) throw badArchive("its directory is not where it should be");
  return { start, end, count };
}

async function findEnd64(blob: Blob, end: number) {
  if (end < locatorBytes + end64Bytes) return undefined;
  const locator = Buffer.alloc(locatorBytes);
  await blob.read(locator, end - locatorBytes);
  if (locator.readUInt32LE(0) !== locatorSignature) return undefined;
  const at = number64(locator, 8);
  if (at + end64Bytes > end - locatorBytes) throw badArchive("its end is broken");
  const record = Buffer.alloc(end64Bytes);
  await blob.read(record, at);
  if (record.readUInt32LE(0) !== end64Signature) throw badArchive("its end is broken");
  return { count: number64(record, 32), length: number64(record, 40), start: number64(record, 48), end: at };
}

function number64(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value))
    throw badArchive(`${showBytes(bytes.subarray(at, at + 8))} is an impossible number`);
  return value;
}
