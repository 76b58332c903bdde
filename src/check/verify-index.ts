import { crc32 } from "node:zlib";
import type { DigestFunction } from "../base/digest-function.ts";
import type { Slices } from "../base/slices.ts";
import {
  blockHeadLength,
  blockMagic,
  indexHeader,
  indexHeaderLength,
  maxBlockRecords,
  recordWords,
} from "../store/disk/index-format.ts";
import type { PieceReader } from "./piece-reader.ts";

const stepBytes = 64 << 10;

/** How much of an index file's first `length` bytes verifies: as `readBlocks` would find, but in slices, and with no block in memory. */
export async function verifiedIndexLength(
  reader: PieceReader,
  length: number,
  fn: DigestFunction,
  slices: Slices,
): Promise<number> {
  const header = (await reader.view(0, indexHeaderLength)).subarray(0, indexHeaderLength);
  if (!header.equals(indexHeader(fn))) return 0;
  for (let at = indexHeaderLength; ; ) {
    const next = await blockEnd(reader, at, length, fn, slices);
    if (next === undefined) return at;
    at = next;
  }
}

/** Where the block that begins at `at` ends; `undefined` where none does that verifies. */
async function blockEnd(
  reader: PieceReader,
  at: number,
  length: number,
  fn: DigestFunction,
  slices: Slices,
): Promise<number | undefined> {
  const head = (await reader.view(at, blockHeadLength)).subarray(0, blockHeadLength);
  if (head.length < blockHeadLength || head.readUInt32LE(0) !== blockMagic) return undefined;
  const [count, sum] = [head.readUInt32LE(4), head.readUInt32LE(12)];
  const end = at + blockHeadLength + count * recordWords(fn) * 4;
  if (count > maxBlockRecords || end > length) return undefined;
  let crc = crc32(head.subarray(0, 12));
  for (let from = at + blockHeadLength; from < end; ) {
    const piece = (await reader.view(from, 1)).subarray(0, Math.min(stepBytes, end - from));
    if (piece.length === 0) return undefined;
    if (slices.over) await slices.rest();
    crc = crc32(piece, crc);
    from += piece.length;
  }
  return crc === sum ? end : undefined;
}
