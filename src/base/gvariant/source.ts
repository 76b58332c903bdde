import { StillageError } from "../errors.ts";

/** Values in one message: a byte can be a value of its own, and as a JavaScript value it takes many. */
const maxValues = 1_000_000;

/** Serialised bytes that are read. Positions count from their start, to which values are aligned. */
export class Source {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly littleEndian: boolean;
  private values = maxValues;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.littleEndian = littleEndian;
  }

  /** Says that `count` more values are to be made. */
  spend(count: number): void {
    this.values -= count;
    if (this.values < 0) notNormal(`more than ${maxValues} values`);
  }

  /** A frame offset: a little-endian number of `width` bytes. Above 2^53 it is inexact, and beyond the end anyway. */
  offset(at: number, width: number): number {
    if (width === 1) return this.bytes[at] as number;
    if (width === 2) return this.view.getUint16(at, true);
    if (width === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  /** Steps from `at` to the next multiple of `alignment`, which has to be at or before `end`, over zero bytes. */
  align(at: number, alignment: number, end: number): number {
    const aligned = (at + alignment - 1) & -alignment;
    if (aligned > end) notNormal("it ends within its padding");
    this.zeros(at, aligned);
    return aligned;
  }

  zeros(start: number, end: number): void {
    for (let at = start; at < end; at++) if (this.bytes[at] !== 0) notNormal("its padding is not zero");
  }
}

/** Says that bytes are no value, or not in the one form in which it is written. */
export function notNormal(why: string): never {
  throw new StillageError("invalid", `not a GVariant in normal form: ${why}`);
}
