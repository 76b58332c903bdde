import { closeSync, fstatSync, openSync } from "node:fs";
import type { DigestFunction } from "../base/digest-function.ts";
import { hexOfWords } from "../base/digest-list.ts";
import { entryLength } from "../store/batch-entry.ts";
import { FileWindow } from "../store/disk/file-window.ts";
import { present, writeRecord } from "../store/disk/index-format.ts";
import { packHeader, packHeaderLength } from "../store/disk/pack.ts";
import { scanPack } from "../store/disk/pack-scan.ts";
import { type IndexState, RecordBuffer, readIndexFile } from "./index-file.ts";

export interface RottenRecord {
  readonly hash: string;
  readonly size: number;
  readonly offset: number;
}

/** What reading a pack and its index file has come to. */
export interface PackCheck {
  readonly size: number;
  readonly headerGood: boolean;
  readonly index: IndexState;
  /** Blobs that are listed and whole, and their bytes with heads. */
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs that are listed, and something else stands there, or nothing. */
  readonly rotten: readonly RottenRecord[];
  /** Whole records behind what the index file covers. */
  readonly unlisted: number;
  /** From here to the end there is no whole record: the end of a write that was cut short. `size` where there is nothing such. */
  readonly tornFrom: number;
  /** What the index file should say: `words` of `count` records, and what it covers. */
  readonly listing: { readonly words: Uint32Array; readonly count: number };
}

/** Reads all of a pack. `progress` is told of bytes that are done. Errors: those of the file system. */
export function checkPack(
  path: string,
  indexPath: string,
  fn: DigestFunction,
  now: number,
  progress: (bytes: number) => void,
): PackCheck {
  const index = readIndexFile(indexPath, fn);
  const listed = sortedByOffset(index.records, fn);
  const listing = new RecordBuffer(fn);
  const rotten: RottenRecord[] = [];
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const header = new FileWindow(fd, Math.min(size, packHeaderLength)).view(0, packHeaderLength);
    let known: Set<string> | undefined; // by hash, once there is something behind what is listed
    let [next, unlisted, bytes, done] = [0, 0, 0, 0];
    const width = listing.width;
    const { words } = index.records;
    /** What is listed before `offset` and was not found is not there. */
    const passTo = (offset: number): void => {
      for (; next < listed.length && offsetAt(words, listed[next] as number, fn) < offset; next++) {
        rotten.push(rottenAt(words, listed[next] as number, fn));
      }
    };
    const record = new Uint32Array(width);
    const good = scanPack(fd, packHeaderLength, size, fn, (digests, offset, length) => {
      progress(offset + length - done);
      done = offset + length;
      passTo(offset);
      const at = listed[next];
      if (at !== undefined && offsetAt(words, at, fn) === offset) {
        next++;
        if (!isOf(words, at, digests.words, digests.sizes[0] as number, fn)) {
          rotten.push(rottenAt(words, at, fn));
          return;
        }
        listing.append(words, at);
        bytes += length;
      } else if (offset >= index.covered) {
        const hash = hexOfWords(digests.words, 0, fn.words);
        known ??= hashesOf(listing, fn);
        if (known.has(hash)) return;
        known.add(hash);
        const found = { words: digests.words, word: 0, offset, size: digests.sizes[0] as number, used: now };
        writeRecord(record, 0, fn, { kind: present, ...found });
        listing.append(record, 0);
        unlisted++;
      }
    });
    passTo(Number.POSITIVE_INFINITY);
    progress(size - done);
    return {
      size,
      headerGood: header.equals(packHeader(fn)),
      index: index.state,
      blobs: listing.count - unlisted,
      bytes,
      rotten,
      unlisted,
      tornFrom: Math.min(size, Math.max(good, index.covered, packHeaderLength)),
      listing: { words: listing.words.slice(0, listing.count * width), count: listing.count },
    };
  } finally {
    closeSync(fd);
  }
}

function hashesOf({ words, count, width }: RecordBuffer, fn: DigestFunction): Set<string> {
  const hashes = new Set<string>();
  for (let at = 0; at < count * width; at += width) hashes.add(hexOfWords(words, at, at + fn.words));
  return hashes;
}

/** Where the records begin in `words`, in the order of their offsets. */
function sortedByOffset({ words, count, width }: RecordBuffer, fn: DigestFunction): number[] {
  const starts = Array.from({ length: count }, (_, i) => i * width);
  return starts.sort((a, b) => offsetAt(words, a, fn) - offsetAt(words, b, fn));
}

function offsetAt(words: Uint32Array, at: number, fn: DigestFunction): number {
  return words[at + fn.words] as number;
}

function rottenAt(words: Uint32Array, at: number, fn: DigestFunction): RottenRecord {
  const hash = hexOfWords(words, at, at + fn.words);
  return { hash, size: words[at + fn.words + 1] as number, offset: offsetAt(words, at, fn) };
}

function isOf(words: Uint32Array, at: number, found: Uint32Array, size: number, fn: DigestFunction): boolean {
  for (let w = 0; w < fn.words; w++) if (words[at + w] !== found[w]) return false;
  return words[at + fn.words + 1] === size;
}

/** The bytes of the pack that a rotten record takes, at most. */
export function lengthOfRotten({ size }: RottenRecord, fn: DigestFunction): number {
  return entryLength(fn, size);
}
