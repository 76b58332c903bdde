import type { DigestFunction } from "../../base/digest-function.ts";
import { entryLength } from "../batch-entry.ts";
import { recordWords } from "./index-format.ts";
import { onDisk } from "./space.ts";

/** Bytes of one record of an index file. */
export function recordBytes(fn: DigestFunction): number {
  return recordWords(fn) * 4;
}

/** What a blob in a pack takes on the disk, with its record in the index file. */
export function packedRoom(fn: DigestFunction, size: number): number {
  return entryLength(fn, size) + recordBytes(fn);
}

/** What a blob in a file of its own takes on the disk, with its record in the journal. */
export function fileRoom(fn: DigestFunction, size: number): number {
  return onDisk(size) + recordBytes(fn);
}
