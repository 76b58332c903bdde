import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { hashOf } from "../../base/hash.ts";
import { headMatches, maxHeadLength } from "../batch-entry.ts";
import { FileWindow } from "./file-window.ts";
import { maxPackedSize } from "./pack.ts";

const firstByte = 0x0a; // of each record

/**
 * Finds the records of a pack from `from` on by the bytes alone, each verified by its hash, and hands them to `take`: the blob is
 * digest 0 of the list. Where bytes do not verify it goes on with the next place where they do, so that rot in one record does
 * not cost those behind it. Returns the end of the last one: what follows is the torn end of a write.
 */
export function scanPack(
  fd: number,
  from: number,
  size: number,
  fn: DigestFunction,
  take: (digests: DigestList, offset: number, length: number) => void,
): number {
  const window = new FileWindow(fd, size);
  const found = new DigestList(fn, 1);
  let good = from;
  for (let at = from; at < size; ) {
    const length = verifiedLength(window, at, found);
    if (length > 0) {
      take(found, at, length);
      at += length;
      good = at;
    } else {
      at = nextCandidate(window, at + 1);
    }
  }
  return good;
}

/** The length of the record at `at`, whose digest is put into `found`; 0 where there is no whole one that verifies. */
function verifiedLength(window: FileWindow, at: number, found: DigestList): number {
  const head = parseHead(window.view(at, maxHeadLength), found);
  if (head === 0) return 0;
  const size = found.sizes[0] as number;
  if (size > maxPackedSize) return 0; // a head in what a client sent, perhaps: it must not make a start read much for nothing
  const data = window.view(at + head, size);
  if (data.length < size) return 0;
  return hashOf(found.function, data) === found.at(0).hash ? head + size : 0;
}

/** The length of the head (`batch-entry.ts`) that `bytes` begin with, or 0 where they do not. */
function parseHead(bytes: Uint8Array, found: DigestList): number {
  const { function: fn } = found;
  let at = 1;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return 0;
  };
  varint(); // the record's length
  at++;
  varint(); // the digest's
  at++;
  if (varint() !== fn.hexLength) return 0;
  const hash = at;
  at += fn.hexLength + 1;
  const size = varint();
  at++;
  varint(); // the size again
  found.clear();
  if (at > bytes.length || size === 0 || !found.pushHex(bytes, hash, hash + fn.hexLength, size)) return 0;
  return headMatches(bytes, 0, fn, found.words, 0, size) ? at : 0;
}

function nextCandidate(window: FileWindow, from: number): number {
  for (let at = from; at < window.size; ) {
    const view = window.view(at, 1 << 16);
    if (view.length === 0) break;
    const found = view.indexOf(firstByte);
    if (found >= 0) return at + found;
    at += view.length;
  }
  return window.size;
}
