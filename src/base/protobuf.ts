import { StillageError } from "./errors.ts";

/** Wire types of the protocol buffers encoding. */
export const wireVarint = 0;
export const wireFixed64 = 1;
export const wireBytes = 2;
const wireGroup = 3;
const wireGroupEnd = 4;
export const wireFixed32 = 5;

/** Of groups in groups. */
const maxGroupDepth = 100;

/** A field's number and wire type as one number, the way it stands on the wire. */
export const tagOf = (field: number, type: number): number => (field << 3) | type;

function cut(): never {
  throw new StillageError("invalid", "the message is cut short or is no protocol buffer");
}

/**
 * Reads a protocol buffer where it lies. `field()` steps to the next field and returns its tag, 0 at the end; a bytes field
 * then lies from `start` to `end`, and a varint is in `value`. Fields that nobody asks about are stepped over.
 * Source: protobuf.dev/programming-guides/encoding.
 */
export class ProtobufReader {
  readonly bytes: Uint8Array;
  pos: number;
  readonly limit: number;
  start = 0;
  end = 0;
  /** Exact to 2^53; larger (a negative int64, too) becomes Infinity, which no size check lets through. */
  value = 0;
  /** Groups that the next field is in. */
  private depth = 0;

  constructor(bytes: Uint8Array, start = 0, limit: number = bytes.length) {
    this.bytes = bytes;
    this.pos = start;
    this.limit = limit;
  }

  field(): number {
    if (this.pos >= this.limit) return 0;
    const tag = this.varint();
    switch (tag & 7) {
      case wireVarint:
        this.value = this.varint();
        break;
      case wireBytes: {
        const length = this.varint();
        this.start = this.pos;
        this.end = this.pos + length;
        this.pos = this.end;
        break;
      }
      case wireFixed64:
        this.pos += 8;
        break;
      case wireFixed32:
        this.pos += 4;
        break;
      default:
        this.skipGroup(tag);
    }
    if (this.pos > this.limit || tag < 8 || tag > 0xffffffff) cut();
    return tag;
  }

  /** No message here has groups; what has one is stepped over, as by the generated code. */
  private skipGroup(tag: number): void {
    if ((tag & 7) !== wireGroup || ++this.depth > maxGroupDepth) cut();
    const end = tag - wireGroup + wireGroupEnd;
    for (let at = this.pos; this.varint() !== end; at = this.pos) {
      this.pos = at;
      this.field();
    }
    this.depth--;
  }

  /** The bytes field that was just read, as a view. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The bytes field that was just read, as text. */
  text(): string {
    return this.start === this.end ? "" : decoder.decode(this.view());
  }

  /** Reads a number that has no tag, one of a packed list, into `value`. */
  number(): void {
    this.value = this.varint();
  }

  private varint(): number {
    const { bytes, limit } = this;
    let at = this.pos;
    const first = bytes[at] as number;
    if (first < 0x80 && at < limit) {
      this.pos = at + 1; // nearly every one
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= limit) cut();
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.pos = at;
        return value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
      }
      scale *= 128;
    }
    return cut();
  }
}

const decoder = new TextDecoder("utf-8", { fatal: false });

/** Bytes that a varint takes. `value` is a whole number from 0 to 2^53. */
export function varintLength(value: number): number {
  if (value < 1 << 7) return 1; // nearly every one is of these three
  if (value < 1 << 14) return 2;
  if (value < 1 << 21) return 3;
  let length = 4;
  for (let rest = Math.floor(value / (1 << 28)); rest > 0; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a varint and returns the position after it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  let pos = at;
  while (rest >= 128) {
    into[pos++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  into[pos++] = rest;
  return pos;
}
