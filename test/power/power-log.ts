import { readFileSync } from "node:fs";

/** What `recorder.c` notes, in the order in which it happened. Inodes are the system's; a number comes back for another file once the first is gone. */
export type LogRecord =
  | { readonly kind: "created" | "made" | "linked"; readonly inode: number; readonly path: string }
  | { readonly kind: "written"; readonly inode: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "truncated"; readonly inode: number; readonly size: number }
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  | { readonly kind: "unlinked"; readonly path: string }
  | { readonly kind: "sync began"; readonly inode: number; readonly number: bigint; readonly dataOnly: boolean }
  | { readonly kind: "sync ended"; readonly number: bigint }
  | { readonly kind: "said"; readonly text: string };

const headLength = 32;

/** Reads a whole log. Throws where it is not one. */
export function readPowerLog(file: string): LogRecord[] {
  const log = readFileSync(file);
  const records: LogRecord[] = [];
  for (let at = 0; at < log.length; ) {
    const end = at + headLength + log.readUInt32LE(at + 4);
    if (end > log.length) throw new Error(`${file} ends in the middle of a record`);
    records.push(decode(log.subarray(at, end)));
    at = end;
  }
  return records;
}

function decode(record: Buffer): LogRecord {
  const kind = record.readUInt32LE(0);
  const inode = Number(record.readBigUInt64LE(8));
  const a = record.readBigUInt64LE(16);
  const data = record.subarray(headLength);
  switch (kind) {
    case 1:
      return { kind: "created", inode, path: data.toString() };
    case 2:
      return { kind: "written", inode, offset: Number(a), bytes: data };
    case 3:
      return { kind: "truncated", inode, size: Number(a) };
    case 4: {
      const [from = "", to = ""] = data.toString().split("\0");
      return { kind: "renamed", from, to };
    }
    case 5:
      return { kind: "linked", inode, path: data.toString() };
    case 6:
      return { kind: "unlinked", path: data.toString() };
    case 7:
      return { kind: "made", inode, path: data.toString() };
    case 8:
      return { kind: "sync began", inode, number: a, dataOnly: record.readBigUInt64LE(24) === 2n };
    case 9:
      return { kind: "sync ended", number: a };
    case 10:
      return { kind: "said", text: data.toString() };
    default:
      throw new Error(`a record of kind ${kind}`);
  }
}
