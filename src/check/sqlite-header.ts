import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** The bytes of an SQLite file's header (sqlite.org/fileformat2.html, 1.3) that are the same in every file of names, but for its marks. */
const constant: readonly (readonly [at: number, bytes: Buffer])[] = [
  [0, Buffer.from("SQLite format 3\0", "latin1")],
  [16, Buffer.from([0x10, 0x00])], // pages of 4,096 bytes
  [18, Buffer.from([2, 2, 0, 64, 32, 32])], // WAL; no reserved bytes; payload fractions
  [44, Buffer.from([0, 0, 0, 4])], // schema format
  [52, Buffer.alloc(4)], // no vacuum by itself
  [56, Buffer.from([0, 0, 0, 1])], // UTF-8
  [64, Buffer.alloc(4)],
  [72, Buffer.alloc(20)],
];

const headerBytes = 100;

/** Sets right what is known of the header, so that SQLite reads the rest: a single wrong bit there hides every name. A crash leaves a part of it set right. */
export function mendHeader(file: string): void {
  const fd = openSync(file, "r+");
  try {
    if (fstatSync(fd).size < headerBytes) return;
    const header = Buffer.alloc(headerBytes);
    readSync(fd, header, 0, headerBytes, 0);
    for (const [at, bytes] of constant) {
      if (!header.subarray(at, at + bytes.length).equals(bytes)) writeSync(fd, bytes, 0, bytes.length, at);
    }
  } finally {
    closeSync(fd);
  }
}
