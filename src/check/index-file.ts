import { closeSync, fstatSync, openSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { DigestFunction } from "../base/digest-function.ts";
import { closeFile, openFile, syncData, syncDirectory, writeAll } from "../store/disk/file-io.ts";
import { FileWindow } from "../store/disk/file-window.ts";
import {
  blockHeadLength,
  blockMagic,
  encodeBlock,
  indexHeader,
  indexHeaderLength,
  isPresent,
  maxBlockRecords,
  readBlocks,
  recordWords,
} from "../store/disk/index-format.ts";
import { newPath } from "../store/disk/index-rewrite.ts";

/** `torn`: it ends within a block, as a write that a crash ended does. */
export type IndexState = "absent" | "whole" | "torn" | "damaged";

/** What an index file lists after its removals. */
export interface IndexFile {
  readonly state: IndexState;
  /** Records as they stand in the file (`recordWords` words each). */
  readonly records: RecordBuffer;
  /** As `IndexBlock.covered`. */
  readonly covered: number;
}

/** Records of an index file one after the other. */
export class RecordBuffer {
  readonly width: number;
  words: Uint32Array = new Uint32Array(0);
  count = 0;

  constructor(fn: DigestFunction) {
    this.width = recordWords(fn);
  }

  append(from: Uint32Array, at: number): void {
    const to = this.count * this.width;
    if (to === this.words.length) {
      const grown = new Uint32Array(Math.max(64 * this.width, to * 2));
      grown.set(this.words);
      this.words = grown;
    }
    this.words.set(from.subarray(at, at + this.width), to);
    this.count++;
  }
}

/** Reads an index file. A removal is for the blob at just that place, an offset or a serial number. Errors: those of the file system. */
export function readIndexFile(path: string, fn: DigestFunction): IndexFile {
  const records = new RecordBuffer(fn);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { state: "absent", records, covered: 0 };
  }
  try {
    const { size } = fstatSync(fd);
    const all = new RecordBuffer(fn);
    const last = new Map<number, number>(); // the record that counts for a place: an offset, or a serial number
    let [covered, end] = [0, Math.min(size, indexHeaderLength)];
    for (const block of readBlocks(fd, size, fn)) {
      for (let at = 0; at < block.records.length; at += all.width) {
        const place = block.records[at + fn.words] as number;
        if (isPresent(block.records, at, fn)) last.set(place, all.count);
        else last.delete(place);
        all.append(block.records, at);
      }
      covered = Math.max(covered, block.covered);
      end = block.end;
    }
    for (const record of last.values()) records.append(all.words, record * all.width);
    return {
      state: size === 0 || (size === end && hasHeader(fd, size, fn)) ? "whole" : stateOfRest(fd, end, size, fn),
      records,
      covered,
    };
  } finally {
    closeSync(fd);
  }
}

/** Puts an index file of these records into the place of what is there. A crash leaves the old one, perhaps beside a new one that is not whole. */
export async function writeIndexFile(
  path: string,
  fn: DigestFunction,
  records: RecordBuffer,
  covered: number,
): Promise<void> {
  const fd = await openFile(newPath(path), "w");
  try {
    await writeAll(fd, indexHeader(fn), 0);
    let length = indexHeaderLength;
    for (let from = 0; from < records.count || from === 0; from += maxBlockRecords) {
      const count = Math.min(maxBlockRecords, records.count - from);
      const until = from + count < records.count ? 0 : covered;
      const block = encodeBlock(fn, records.words.subarray(from * records.width), count, until);
      await writeAll(fd, block, length);
      length += block.length;
    }
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
  await rename(newPath(path), path);
  await syncDirectory(dirname(path));
}

function hasHeader(fd: number, size: number, fn: DigestFunction): boolean {
  const window = new FileWindow(fd, size);
  return window.view(0, indexHeaderLength).equals(indexHeader(fn));
}

/** Whether what follows the last good block is the beginning of one that was cut short. */
function stateOfRest(fd: number, end: number, size: number, fn: DigestFunction): IndexState {
  if (!hasHeader(fd, size, fn)) return size < indexHeaderLength ? "torn" : "damaged";
  const head = new FileWindow(fd, size).view(end, blockHeadLength);
  if (head.length < blockHeadLength) return "torn";
  const length = blockHeadLength + head.readUInt32LE(4) * recordWords(fn) * 4;
  return head.readUInt32LE(0) === blockMagic && head.readUInt32LE(4) <= maxBlockRecords && end + length > size
    ? "torn"
    : "damaged";
}
