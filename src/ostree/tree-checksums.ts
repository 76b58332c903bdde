import type { DigestList } from "../base/digest-list.ts";
import { widthFor, widthIn } from "../base/gvariant/offset-width.ts";
import { notNormal, Source } from "../base/gvariant/source.ts";
import { reading } from "./metadata-limit.ts";

/** Where the checksums in a dirtree go, without a value for each. The sizes beside them are unknown: `unknownSize`. */
export interface TreeChecksums {
  readonly files: DigestList;
  readonly directories: DigestList;
  readonly metas: DigestList;
}

/** What stands for the size of a blob of which the hash alone is known. */
export const unknownSize = -1;

const sumBytes = 32;

/**
 * Appends the checksums in the dirtree, an `(a(say)a(sayay))`, that lies from `start` to `end`: at some 0.1 µs for each, so that a commit of thousands of directories is walked
 * without others waiting. Names are not looked at: who takes a dirtree in reads it with `decodeDirTree`. Errors: `invalid`.
 */
export function readTreeChecksums(bytes: Uint8Array, start: number, end: number, into: TreeChecksums): void {
  reading("dirtree", () => {
    const source = new Source(bytes.subarray(start, end), true);
    const size = end - start;
    const width = widthIn(size);
    const body = size - width;
    if (body < 0 || widthFor(body, 1) !== width) notNormal("its offset is not as wide as it has to be");
    const split = source.offset(body, width);
    if (split > body) notNormal("its files end outside it");
    readSums(source, 0, split, [into.files]);
    readSums(source, split, body, [into.directories, into.metas]);
  });
}

/** Reads an array of a name and a checksum for each list. */
function readSums(source: Source, start: number, end: number, lists: readonly DigestList[]): void {
  const size = end - start;
  if (size === 0) return;
  const width = widthIn(size);
  if (size < width) notNormal("an array is shorter than its offsets");
  const body = source.offset(end - width, width);
  const entries = (size - body) / width;
  if (!(entries >= 1) || !Number.isInteger(entries)) notNormal("an array does not end where its last element does");
  let at = start;
  for (let i = 0; i < entries; i++) {
    const begin = at;
    at = start + source.offset(start + body + i * width, width);
    if (at < begin || at > start + body) notNormal("offsets are not in order");
    readEntry(source, begin, at, lists);
  }
}

/** The name, the checksums, and where each of them ends but the last, in reverse. */
function readEntry(source: Source, start: number, end: number, lists: readonly DigestList[]): void {
  const width = widthIn(end - start);
  let sum = end - lists.length * (width + sumBytes);
  if (sum <= start || source.offset(end - width, width) !== sum - start) notNormal("a checksum is not 32 bytes long");
  for (const list of lists) {
    list.pushBytes(source.bytes, sum, unknownSize);
    sum += sumBytes;
  }
}
