import { readdirSync, statSync } from "node:fs";
import type { Digest } from "../../base/digest.ts";

/** Objects that are asked for together before it pays to read what is in their folders. */
const minAsked = 1000;

/** What a directory takes for the name of an object at least, in bytes: 20 on tmpfs, 72 on others. */
const bytesOfName = 20;

/** A name in a directory is read in a fifth of the time in which a file is looked up. */
const namesForOne = 5;

/** What a directory takes however few names it has. */
const smallFolderBytes = 8192;

/** Names of one folder that are kept at most. */
const maxNames = 4096;

/** What others have added for so long, in milliseconds, may still be said to be lacking: then it comes a second time, and nothing else. */
const keptMs = 1000;

/**
 * Tells which of many objects are not there without looking for each: the names in a folder are read once, where they are not many more than what is asked for, and
 * serve for some questions that follow one another. Whatever else may be there, or not.
 */
export class ShelfNames {
  private readonly objects: string;
  /** `undefined` for a folder that is not read. */
  private readonly shelves = new Map<string, Set<string> | undefined>();
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(objects: string) {
    this.objects = objects;
  }

  /** Reads what helps with a question for these. */
  prepare(digests: readonly Digest[]): void {
    const isOld = performance.now() - this.readAt > keptMs;
    if (isOld) this.shelves.clear();
    if (digests.length < minAsked) return;
    if (isOld) this.readAt = performance.now();
    const asked = new Map<string, number>();
    for (const { hash } of digests) {
      const shelf = shelfOf(hash);
      asked.set(shelf, (asked.get(shelf) ?? 0) + 1);
    }
    for (const [shelf, count] of asked) {
      if (!this.shelves.has(shelf)) this.shelves.set(shelf, this.read(shelf, count));
    }
  }

  lacks({ hash }: Digest): boolean {
    return this.shelves.get(shelfOf(hash))?.has(hash) === false;
  }

  /** To be told of each object that this process has written. */
  add(hash: string): void {
    const names = this.shelves.get(shelfOf(hash));
    if (names === undefined) return;
    if (names.size < maxNames) names.add(hash);
    else this.shelves.set(shelfOf(hash), undefined);
  }

  /** Hashes; `undefined` where it is too much, or cannot be read. */
  private read(shelf: string, asked: number): Set<string> | undefined {
    const folder = `${this.objects}/${shelf}`;
    try {
      const stats = statSync(folder, { throwIfNoEntry: false });
      if (stats === undefined) return new Set();
      if (stats.size > Math.max(asked * namesForOne * bytesOfName, smallFolderBytes)) return undefined;
      return new Set(readdirSync(folder).map((name) => shelf + name));
    } catch {
      return undefined; // looking for each says what is wrong
    }
  }
}

const shelfOf = (hash: string): string => hash.slice(0, 2);
