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
  /** Those that are listed, or else found. */
  readonly blobs: number;
  /** Where records begin that are listed and not what the list says. */
  readonly damaged: readonly number[];
}

/** Counts the blobs that the index file of a pack lists, `undefined` where there is no such file, by where they begin. */
export function listedIn(index: string, fn: DigestFunction): Set<number> | undefined {
  let fd: number;
  try {
    fd = openSync(index, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const listed = new Set<number>();
    for (const { records, count } of readBlocks(fd, fstatSync(fd).size, fn)) {
      for (let i = 0, at = 0; i < count; i++, at += recordWords(fn)) {
        const offset = records[at + fn.words] as number;
        if (isPresent(records, at, fn)) listed.add(offset);
        else listed.delete(offset);
      }
    }
    return listed;
  } finally {
    closeSync(fd);
  }
}

/** Reads all of a pack and compares each record with its hash. What its end has of a write that was under way is no damage. */
export async function verifyPack(pack: string, index: string, fn: DigestFunction): Promise<VerifiedPack> {
  const listed = listedIn(index, fn);
  const found = new Set<number>();
  const fd = openSync(pack, "r");
  try {
    scanPack(fd, packHeaderLength, fstatSync(fd).size, fn, (_, offset) => found.add(offset));
  } finally {
    closeSync(fd);
  }
  await turn();
  const damaged = [...(listed ?? [])].filter((offset) => !found.has(offset));
  return { blobs: listed === undefined ? found.size : listed.size - damaged.length, damaged };
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
      hash.update(buffer.subarray(0, count));
      onBytes(count);
      if (count < pieceBytes) break;
    }
  } finally {
    await closeFile(fd);
  }
  return hash.digest("hex") === parseName(basename(path), fn.hexLength)?.hash;
}
