import { closeSync, fstatSync, openSync } from "node:fs";
import { basename } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { DigestFunction } from "../base/digest-function.ts";
import { runningHash } from "../base/hash.ts";
import { closeFile, openFile, readFully } from "../store/disk/file-io.ts";
import { parseName } from "../store/disk/file-paths.ts";
import { isPresent, readBlocks, recordWords } from "../store/disk/index-format.ts";
import { packHeaderLength } from "../store/disk/pack.ts";
import { scanPack } from "../store/disk/pack-scan.ts";

const pieceBytes = 1 << 20;

export interface VerifiedPack {
  /** Those that are whole, and were not removed. */
  readonly blobs: number;
  /** Where records begin that are not what they were. */
  readonly damaged: readonly number[];
}

/** What an index file says of a pack. */
interface PackList {
  /** Where the records of blobs begin that are there. */
  readonly listed: Set<number>;
  /** All records up to here are, or were, listed. */
  readonly covered: number;
}

/** How many blobs an index file says are in its pack; `undefined` where there is none. */
export function listedIn(index: string, fn: DigestFunction): number | undefined {
  return listOf(index, fn)?.listed.size;
}

/** `undefined` where there is no such file. */
function listOf(index: string, fn: DigestFunction): PackList | undefined {
  let fd: number;
  try {
    fd = openSync(index, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const listed = new Set<number>();
    let until = packHeaderLength;
    for (const { records, count, covered } of readBlocks(fd, fstatSync(fd).size, fn)) {
      for (let i = 0, at = 0; i < count; i++, at += recordWords(fn)) {
        const offset = records[at + fn.words] as number;
        if (isPresent(records, at, fn)) listed.add(offset);
        else listed.delete(offset);
      }
      until = Math.max(until, covered);
    }
    return { listed, covered: until };
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads all of a pack, or where that is `quick` what nothing lists, and compares each record with its hash. What its end has of a write that was under
 * way is no damage.
 */
export async function verifyPack(
  pack: string,
  index: string,
  fn: DigestFunction,
  quick: boolean,
): Promise<VerifiedPack> {
  const { listed, covered } = listOf(index, fn) ?? { listed: new Set<number>(), covered: packHeaderLength };
  const found = new Set<number>(quick ? listed : []);
  const damaged: number[] = [];
  const fd = openSync(pack, "r");
  try {
    const start = quick ? covered : packHeaderLength;
    let next = start;
    scanPack(fd, start, fstatSync(fd).size, fn, (_, offset, length) => {
      // Between records that nothing lists yet there is nothing else.
      if (offset > next && next >= covered) damaged.push(next);
      if (listed.has(offset) || offset >= covered) found.add(offset);
      next = offset + length;
    });
  } finally {
    closeSync(fd);
  }
  await turn();
  for (const offset of listed) if (!found.has(offset)) damaged.push(offset);
  return { blobs: found.size, damaged };
}

/** Whether the file of a large blob has the hash that its name says. Errors: the signal's reason. */
export async function verifyFile(
  path: string,
  fn: DigestFunction,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<boolean> {
  const hash = runningHash(fn);
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const fd = await openFile(path, "r");
  try {
    for (let at = 0; ; at += pieceBytes) {
      signal.throwIfAborted();
      const count = await readFully(fd, buffer, at);
      await hash.update(buffer.subarray(0, count));
      onBytes(count);
      if (count < pieceBytes) break;
    }
  } finally {
    await closeFile(fd);
  }
  return (await hash.digest("hex")) === parseName(basename(path), fn.hexLength)?.hash;
}
