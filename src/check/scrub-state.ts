import { readFileSync, rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a round is: what comes next is behind this. */
export interface ScrubPosition {
  /** The directory of tenant and function, below `tenants`. */
  readonly shelf: string;
  /** The pack being read and how far; after the last one 2^53 - 1. */
  readonly pack: number;
  readonly offset: number;
  /** Of the large blobs: the first 32 bits of the last hash that was read, -1 before the first. */
  readonly word: number;
}

/** What is remembered over a restart. Times in milliseconds since 1970. */
export interface ScrubState {
  readonly format: 1;
  /** When the round began; `undefined` between rounds. */
  readonly started: number | undefined;
  readonly position: ScrubPosition | undefined;
  /** Bytes of the store that this round has passed. */
  readonly passed: number;
  /** When the last whole round began and ended. */
  readonly lastStarted: number | undefined;
  readonly lastEnded: number | undefined;
}

export const noScrub: ScrubState = {
  format: 1,
  started: undefined,
  position: undefined,
  passed: 0,
  lastStarted: undefined,
  lastEnded: undefined,
};

const stateFile = "scrub.json";

/** What was saved; what cannot be read as that counts as nothing, and a new round begins. */
export function loadScrubState(store: string): ScrubState {
  try {
    rmSync(join(store, `${stateFile}.new`), { force: true });
    const read = JSON.parse(readFileSync(join(store, stateFile), "utf8")) as Record<string, unknown>;
    return isState(read) ? read : noScrub;
  } catch {
    return noScrub;
  }
}

/** Replaces what was saved, at once or not at all. It is not synced: a power cut may cost a round what it has done. */
export async function saveScrubState(store: string, state: ScrubState): Promise<void> {
  const path = join(store, stateFile);
  await writeFile(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
}

function isState(read: Record<string, unknown>): read is Record<string, unknown> & ScrubState {
  const { format, started, position, passed, lastStarted, lastEnded } = read;
  return (
    format === 1 && isCount(passed) && [started, lastStarted, lastEnded].every(isOptionalCount) && isPosition(position)
  );
}

function isPosition(read: unknown): boolean {
  if (read === undefined) return true;
  const { shelf, pack, offset, word } = (read ?? {}) as Record<string, unknown>;
  return typeof shelf === "string" && isCount(pack) && isCount(offset) && (word === -1 || isCount(word));
}

function isCount(read: unknown): read is number {
  return typeof read === "number" && Number.isSafeInteger(read) && read >= 0;
}

function isOptionalCount(read: unknown): boolean {
  return read === undefined || isCount(read);
}
