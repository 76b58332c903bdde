import { badArchive } from "./archive-error.ts";

/** What extended headers change of the entry behind them. */
export interface PaxRecords {
  path?: Uint8Array;
  linkpath?: Uint8Array;
  size?: number;
}

/** Reads the records of an extended header, `LENGTH KEY=VALUE\n` each (POSIX.1-2017, pax, "pax Extended Header"). Errors: `failed-precondition`. */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const found: PaxRecords = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = Buffer.from(bytes.subarray(at, Math.min(space, at + 20))).toString("latin1");
    const end = at + Number(digits);
    if (space < 0 || !/^\d+$/.test(digits) || end > bytes.length || end <= space || bytes[end - 1] !== 0x0a) {
      throw badArchive("an extended header is broken");
    }
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw badArchive("an extended header is broken");
    take(found, Buffer.from(bytes.subarray(space + 1, equals)).toString("latin1"), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return found;
}

function take(found: PaxRecords, key: string, value: Uint8Array): void {
  if (key === "path") found.path = new Uint8Array(value);
  else if (key === "linkpath") found.linkpath = new Uint8Array(value);
  else if (key === "size") {
    const digits = Buffer.from(value).toString("latin1");
    if (!/^\d{1,15}$/.test(digits)) throw badArchive("an entry has an impossible size");
    found.size = Number(digits);
  } else if (key.startsWith("GNU.sparse.")) throw badArchive("it holds a sparse file");
}
