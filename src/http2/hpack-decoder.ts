import { HeaderField } from "./header-field.ts";
import { HpackTable } from "./hpack-table.ts";
import { decodeHuffman } from "./huffman.ts";
import { ConnectionError, errorCode } from "./protocol.ts";
import type { RequestHeaders } from "./request-headers.ts";

const firstScratchBytes = 4096;

/** Reads the header blocks of one connection: RFC 7541. Every error of it ends the connection, for what follows could not be read. */
export class HpackDecoder {
  private readonly table = new HpackTable();
  private scratch: Buffer = Buffer.allocUnsafe(firstScratchBytes);
  private bytes: Buffer = this.scratch;
  private at = 0;
  private end = 0;

  /** Decodes a whole block, `bytes` from `start` to `end`. Throws a ConnectionError. */
  decode(bytes: Buffer, start: number, end: number, headers: RequestHeaders): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    let fields = 0;
    while (this.at < this.end) {
      const first = bytes[this.at] as number;
      if (first >= 0x80) headers.add(this.indexed(this.integer(7)));
      else if (first >= 0x40) {
        const field = this.literal(6);
        this.table.add(field);
        headers.add(field);
      } else if (first < 0x20) headers.add(this.literal(4));
      else {
        if (fields > 0) throw compressionError("a table size in the middle of a header block");
        if (!this.table.resize(this.integer(5))) throw compressionError("a larger table than is allowed");
        continue;
      }
      fields++;
    }
    this.bytes = this.scratch;
  }

  private indexed(index: number): HeaderField {
    const field = this.table.at(index);
    if (field === undefined) throw compressionError("an index without an entry");
    return field;
  }

  private literal(prefixBits: number): HeaderField {
    const index = this.integer(prefixBits);
    if (index === 0) {
      const name = this.string();
      return new HeaderField(name, this.string());
    }
    const { name } = this.indexed(index);
    return new HeaderField(name, this.string());
  }

  /** Section 5.1. */
  private integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const next = this.byte();
      value += (next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    throw compressionError("an integer that is too large");
  }

  /** Section 5.2. */
  private string(): string {
    const huffman = this.at < this.end && (this.bytes[this.at] as number) >= 0x80;
    const length = this.integer(7);
    const start = this.at;
    this.at += length;
    if (this.at > this.end) throw compressionError("a string beyond the header block's end");
    if (!huffman) return this.bytes.toString("latin1", start, this.at);
    if (this.scratch.length < length * 2) this.scratch = Buffer.allocUnsafe(length * 2);
    const decoded = decodeHuffman(this.bytes, start, this.at, this.scratch);
    if (decoded < 0) throw compressionError("a string that is no Huffman code");
    return this.scratch.toString("latin1", 0, decoded);
  }

  private byte(): number {
    if (this.at >= this.end) throw compressionError("a header block that breaks off");
    return this.bytes[this.at++] as number;
  }
}

function compressionError(message: string): ConnectionError {
  return new ConnectionError(errorCode.compressionError, message);
}
