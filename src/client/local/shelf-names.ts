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

/**
 * Tells which of many objects are not there without looking for each: the names in a folder are read once, where they are not many more than what is asked for.
 * Whatever else may be there, or not. For one question: others write meanwhile.
 */
export class ShelfNames {
  private readonly objects: string;
  /** `undefined` for a folder that is not read. */
  private readonly shelves = new Map<string, ReadonlySet<string> | undefined>();

  constructor(objects: string, digests: readonly Digest[]) {
    this.objects = objects;
    if (digests.length < minAsked) return;
    const asked = new Map<string, number>();
    for (const { hash } of digests) {
      const shelf = hash.slice(0, 2);
      asked.set(shelf, (asked.get(shelf) ?? 0) + 1);
    }
    for (const [shelf, count] of asked) this.shelves.set(shelf, this.read(shelf, count));
  }

  lacks({ hash }: Digest): boolean {
    return this.shelves.get(hash.slice(0, 2))?.has(hash) === false;
  }

  /** Hashes; `undefined` where it is too much, or cannot be read. */
  private read(shelf: string, asked: number): ReadonlySet<string> | undefined {
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
