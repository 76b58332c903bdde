import { notOfType } from "../base/gvariant/codec.ts";
import { widthFor, widthIn } from "../base/gvariant/offset-width.ts";
import type { Sink } from "../base/gvariant/sink.ts";
import { notNormal, type Source } from "../base/gvariant/source.ts";
import { readText } from "../base/gvariant/strings.ts";
import { type Checksum, parseChecksum } from "./object-name.ts";

/** An entry of a dirtree: `(say)` with one checksum, `(sayay)` with two. */
export interface DirEntry {
  readonly name: string;
  readonly sums: readonly Checksum[];
}

const sumBytes = 32;

/** Reads the entries, of `count` checksums each, that take the bytes from `start` to `end`. Errors: `invalid`. */
export function readEntries(from: Source, start: number, end: number, count: 1 | 2): DirEntry[] {
  const size = end - start;
  if (size === 0) return [];
  const width = widthIn(size);
  if (size < width) notNormal("an array is shorter than its offsets");
  const body = from.offset(end - width, width);
  const entries = (size - body) / width;
  if (!(entries >= 1) || !Number.isInteger(entries)) notNormal("an array does not end where its last element does");
  if (widthFor(body, entries) !== width) notNormal("offsets are wider than they need be");
  const read = new Array<DirEntry>(entries);
  let at = start;
  for (let i = 0; i < entries; i++) {
    const begin = at;
    at = start + from.offset(start + body + i * width, width);
    if (at < begin || at > start + body) notNormal("offsets are not in order");
    read[i] = readEntry(from, begin, at, count);
  }
  return read;
}

/** The name, the checksums, and, the last first, where each of them ends but the last. */
function readEntry(from: Source, start: number, end: number, count: 1 | 2): DirEntry {
  const width = widthIn(end - start);
  const body = end - start - count * width;
  if (body < 0 || widthFor(body, count) !== width) notNormal("an entry's offsets are not as wide as they have to be");
  const nameEnd = from.offset(end - width, width);
  const inPlace = count === 1 || from.offset(end - 2 * width, width) === nameEnd + sumBytes;
  if (nameEnd + count * sumBytes !== body || !inPlace) notNormal("a checksum is not 32 bytes long");
  const name = readText(from, start, start + nameEnd);
  const at = start + nameEnd;
  const first = from.bytes.toString("hex", at, at + sumBytes);
  return { name, sums: count === 1 ? [first] : [first, from.bytes.toString("hex", at + sumBytes, at + 2 * sumBytes)] };
}

/** Writes entries, which are in order. Errors: `invalid` for what is no checksum or no Unicode. */
export function writeEntries(into: Sink, entries: readonly DirEntry[]): void {
  const start = into.at;
  const ends: number[] = [];
  for (const { name, sums } of entries) {
    const begin = into.at;
    if (!name.isWellFormed()) notOfType("s", "half a surrogate pair");
    into.text(name);
    const nameEnd = into.at - begin;
    for (const sum of sums) {
      const at = into.take(sumBytes);
      into.bytes.write(parseChecksum(sum), at, "hex");
    }
    const width = widthFor(into.at - begin, sums.length);
    into.offsets(sums.length === 1 ? [nameEnd] : [nameEnd + sumBytes, nameEnd], width);
    ends.push(into.at - start);
  }
  into.offsets(ends, widthFor(into.at - start, ends.length));
}
