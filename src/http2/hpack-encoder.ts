import { staticIndex } from "./static-table.ts";

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A header block that means the same on every connection: nothing in it refers to a dynamic table. So it can be made once and sent often. */
export type HeaderBlock = Buffer;

const bytesPerInteger = 5;

/** Encodes a header list, names in lower case, each character of a value one byte: RFC 7541 without a dynamic table and Huffman code. */
export function encodeHeaders(headers: HeaderList): HeaderBlock {
  let room = 0;
  for (const [name, value] of headers) room += 1 + 2 * bytesPerInteger + name.length + value.length;
  const block = Buffer.allocUnsafe(room);
  let at = 0;
  for (const [name, value] of headers) {
    const whole = staticIndex.get(`${name} ${value}`);
    if (whole !== undefined) {
      at = writeInteger(block, at, 0x80, 7, whole);
      continue;
    }
    const index = staticIndex.get(name) ?? 0;
    at = writeInteger(block, at, 0, 4, index);
    if (index === 0) at = writeString(block, at, name);
    at = writeString(block, at, value);
  }
  return block.subarray(0, at);
}

function writeString(block: Buffer, at: number, text: string): number {
  const start = writeInteger(block, at, 0, 7, text.length);
  return start + block.write(text, start, "latin1");
}

function writeInteger(block: Buffer, start: number, first: number, prefixBits: number, value: number): number {
  const mask = (1 << prefixBits) - 1;
  let at = start;
  if (value < mask) {
    block[at++] = first | value;
    return at;
  }
  block[at++] = first | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) block[at++] = (rest & 0x7f) | 0x80;
  block[at++] = rest;
  return at;
}
