import { isAscii } from "../is-ascii.ts";
import { blockBytes, padded } from "./tar-header.ts";

/** An entry that is written. Owner and group are 0 and have no names. */
export interface TarEntry {
  /** Of a directory it ends in a slash. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly mode: number;
  /** In bytes; 0 for what is no file. */
  readonly size: number;
  /** In whole seconds since 1970. */
  readonly modified: number;
  /** Where a link leads. */
  readonly target?: string;
}

/** What tar programs write at a time: the last of them is filled with zero bytes (GNU tar manual, "Blocking"). */
const recordBytes = 10_240;

const maxName = 100;
const maxOctalSize = 8 ** 11;
const typeFlags = { file: "0", directory: "5", symlink: "2" } as const;

/**
 * The header of an entry (POSIX.1-2017, pax): with an extended one before it where a name is long or not ASCII, or the size is not less than 8 GiB. The same bytes as
 * Python's `tarfile` writes, and so BuildStream.
 */
export function tarHeader({ path, kind, mode, size, modified, target = "" }: TarEntry): Uint8Array {
  const records: string[] = [];
  if (!fits(path)) records.push(record("path", path));
  if (!fits(target)) records.push(record("linkpath", target));
  if (size >= maxOctalSize) records.push(record("size", String(size)));
  const block = headerBlock(path, typeFlags[kind], mode, size < maxOctalSize ? size : 0, modified, target);
  if (records.length === 0) return block;
  const bytes = Buffer.from(records.join(""));
  const extended = headerBlock("././@PaxHeader", "x", 0, bytes.length, 0, "");
  return Buffer.concat([extended, bytes, tarPadding(bytes.length), block]);
}

/** The zero bytes behind content of so many bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array(padded(size) - size);
}

/** The end of an archive of so many bytes. */
export function tarEnd(length: number): Uint8Array {
  const total = Math.ceil((length + 2 * blockBytes) / recordBytes) * recordBytes;
  return new Uint8Array(total - length);
}

function fits(name: string): boolean {
  return name.length <= maxName && isAscii(name);
}

/** The length that a record begins with counts its own digits. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

function headerBlock(
  path: string,
  flag: string,
  mode: number,
  size: number,
  modified: number,
  target: string,
): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const text = (value: string, at: number, length = value.length): void => {
    block.write(ascii(value).slice(0, length), at, "latin1");
  };
  const octal = (value: number, at: number, digits: number): void => {
    text(value.toString(8).padStart(digits, "0"), at);
  };
  text(path, 0, maxName);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(modified, 136, 11);
  text(" ".repeat(8), 148);
  text(flag, 156);
  text(target, 157, maxName);
  text("ustar\0" + "00", 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  octal(sum, 148, 6);
  block[154] = 0;
  return block;
}

/** What a header without an extended one can say of a name; readers take the extended one. */
function ascii(text: string): string {
  if (isAscii(text)) return text;
  return Array.from(text, (char) => (char < "\u0080" ? char : "?")).join("");
}
