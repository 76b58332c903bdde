import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { SQLInputValue } from "node:sqlite";

/** The size of pages in a file of names. */
const pageBytes = 4096;

/** Longer than any row of refs is: a message, its roots and its name. */
const maxRowBytes = 64 << 20;

const tableLeaf = 13;

/**
 * The rows that stand on the pages of an SQLite file, whatever leads to them or does not (sqlite.org/fileformat2.html, 1.6 and 2): of every table
 * with at least `min` of these columns, the first of which is the row's number. Rows that were deleted are among them as long as their page was not used again.
 */
export function* rowsOnPages(
  file: string,
  columns: readonly string[],
  min: number,
): Generator<Record<string, SQLInputValue>> {
  const fd = openSync(file, "r");
  try {
    const pages = Math.floor(fstatSync(fd).size / pageBytes);
    const page = Buffer.alloc(pageBytes);
    for (let number = 1; number <= pages; number++) {
      readSync(fd, page, 0, pageBytes, (number - 1) * pageBytes);
      const start = number === 1 ? 100 : 0;
      if (page[start] !== tableLeaf) continue;
      const cells = Math.min(page.readUInt16BE(start + 3), pageBytes / 4);
      for (let cell = 0; cell < cells; cell++) {
        const at = page.readUInt16BE(Math.min(start + 8 + cell * 2, pageBytes - 2));
        const row = readRow(fd, page, at, columns, min);
        if (row !== undefined) yield row;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** The row whose cell begins at a place of a page; `undefined` for what is none. */
function readRow(
  fd: number,
  page: Buffer,
  at: number,
  columns: readonly string[],
  min: number,
): Record<string, SQLInputValue> | undefined {
  try {
    const cell = new Bytes(page, at);
    const [length, id] = [cell.varint(), cell.varint()];
    if (length === 0 || length > maxRowBytes || !Number.isSafeInteger(id)) return undefined;
    const payload = new Bytes(readPayload(fd, page, cell.at, length), 0);
    const head = payload.varint();
    const types: number[] = [];
    while (payload.at < head) types.push(payload.varint());
    if (payload.at !== head || types.length < min || types.length > columns.length || types[0] !== 0) return undefined;
    const values = types.map((type) => payload.value(type));
    if (payload.at !== length) return undefined;
    const entries = columns.map((name, i) => [name, i === 0 ? id : (values[i] ?? null)] as const);
    return Object.fromEntries(entries);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The bytes of a row, part of which may stand on pages of their own, each with the number of the next one before them. */
function readPayload(fd: number, page: Buffer, at: number, length: number): Buffer {
  const most = pageBytes - 35;
  const least = Math.floor(((pageBytes - 12) * 32) / 255) - 23;
  const some = least + ((length - least) % (pageBytes - 4));
  const here = length <= most ? length : some <= most ? some : least;
  if (at + here + (here < length ? 4 : 0) > pageBytes) throw new RangeError("beyond the page");
  if (here === length) return page.subarray(at, at + length);
  const payload = Buffer.alloc(length);
  page.copy(payload, 0, at, at + here);
  let next = page.readUInt32BE(at + here);
  const head = Buffer.alloc(4);
  for (let done = here; done < length; done += pageBytes - 4) {
    const from = (next - 1) * pageBytes;
    if (next === 0 || readSync(fd, head, 0, 4, from) < 4) throw new RangeError("the row breaks off");
    readSync(fd, payload, done, Math.min(pageBytes - 4, length - done), from + 4);
    next = head.readUInt32BE(0);
  }
  return payload;
}

/** Reads numbers and values one after the other; throws RangeError beyond the end. */
class Bytes {
  at: number;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  varint(): number {
    let value = 0;
    for (let i = 0; i < 8; i++) {
      const byte = this.bytes.readUInt8(this.at++);
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value * 256 + this.bytes.readUInt8(this.at++);
  }

  /** A value of a serial type. */
  value(type: number): SQLInputValue {
    if (type === 0) return null;
    if (type === 8 || type === 9) return type - 8;
    if (type < 8) return this.number(type);
    const length = Math.floor((type - 12) / 2);
    if (length < 0 || this.at + length > this.bytes.length) throw new RangeError("beyond the row");
    const bytes = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return type % 2 === 1 ? bytes.toString() : new Uint8Array(bytes);
  }

  private number(type: number): number {
    const length = [0, 1, 2, 3, 4, 6, 8, 8][type] as number;
    const from = this.at;
    this.at += length;
    if (type === 7) return this.bytes.readDoubleBE(from);
    return length === 8 ? Number(this.bytes.readBigInt64BE(from)) : this.bytes.readIntBE(from, length);
  }
}
