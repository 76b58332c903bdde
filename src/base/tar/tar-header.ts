import { badArchive } from "./archive-error.ts";

export const blockBytes = 512;

/** The bytes that content of `size` bytes takes in an archive. */
export function padded(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/** The fields of a header block (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). */
export interface TarHeader {
  readonly path: Uint8Array;
  readonly link: Uint8Array;
  readonly mode: number;
  readonly size: number;
  /** The type flag; "\0" is "0". */
  readonly type: string;
}

/** Whether 512 bytes are the header of a tar entry: its sum is right. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < blockBytes || isZero(block)) return false;
  const stated = parseNumber(block.subarray(148, 156));
  if (stated === undefined) return false;
  let unsigned = 0;
  let signed = 0; // as some old programs add it up
  for (let i = 0; i < blockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] as number);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stated === unsigned || stated === signed;
}

export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Reads a header block. Errors: `failed-precondition`. */
export function parseTarHeader(block: Uint8Array): TarHeader {
  if (!isTarHeader(block)) throw badArchive("what should be a header of the tar format is none");
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined) throw badArchive("an entry has no size");
  const name = upToZero(block.subarray(0, 100));
  // GNU tar has other things where the prefix would be, and another mark.
  const posix = Buffer.from(block.subarray(257, 263)).equals(Buffer.from("ustar\0"));
  const prefix = posix ? upToZero(block.subarray(345, 500)) : new Uint8Array(0);
  const path = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
  const type = String.fromCharCode(block[156] || 0x30);
  return {
    path: new Uint8Array(path),
    link: new Uint8Array(upToZero(block.subarray(157, 257))),
    mode: parseNumber(block.subarray(100, 108)) ?? 0,
    size,
    type,
  };
}

export function upToZero(bytes: Uint8Array): Uint8Array {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes : bytes.subarray(0, zero);
}

/** Octal digits among spaces and zero bytes, or, where the first bit is set, a binary number. `undefined` for what is neither, or too large. */
function parseNumber(field: Uint8Array): number | undefined {
  const first = field[0] as number;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) && first < 0xc0 ? value : undefined;
  }
  const digits = Buffer.from(field).toString("latin1").replaceAll("\0", " ").trim();
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
