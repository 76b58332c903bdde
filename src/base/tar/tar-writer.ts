import { StillageError } from "../errors.ts";
import { blockBytes, padded } from "./tar-header.ts";

/** What tar programs write at a time: the last of them is filled with zero bytes (GNU tar manual, "Blocking"). */
const recordBytes = 10_240;

/** Digits that fit a field of eleven octal ones; larger sizes are binary, as GNU tar writes them. */
const maxOctalSize = 0o77777777777;

const maxNameBytes = 100;

/**
 * The header of a plain file of root that everybody may read (POSIX.1-2017, pax, "ustar Interchange Format"); its content and `tarPadding` follow. Errors: `invalid` for a path
 * of more than 100 bytes.
 */
export function tarFileHeader(path: string, size: number): Uint8Array {
  const name = Buffer.from(path);
  if (name.length > maxNameBytes) throw new StillageError("invalid", `the path ${path} is too long for an archive`);
  const block = Buffer.alloc(blockBytes);
  name.copy(block);
  block.write("0000644\0", 100, "latin1");
  block.write("0000000\0", 108, "latin1"); // user
  block.write("0000000\0", 116, "latin1"); // group
  if (size <= maxOctalSize) block.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write("00000000000\0", 136, "latin1"); // time
  block.write("        0", 148, "latin1"); // the sum as it counts itself, and the type
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** The zeros behind content of `size` bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array(padded(size) - size);
}

/** What ends an archive that has `length` bytes so far: two blocks of zeros, and more of them up to whole records. */
export function tarEnd(length: number): Uint8Array {
  const least = length + 2 * blockBytes;
  return new Uint8Array(Math.ceil(least / recordBytes) * recordBytes - length);
}
