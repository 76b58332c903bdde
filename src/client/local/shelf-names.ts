import { readdirSync, statSync } from "node:fs";
import type { Digest } from "../../base/digest.ts";

/** Objects that are asked for together before it pays to read what is in their folders. */
const minAsked = 1000;

/** What a directory takes for each name of an object, in bytes, on most file systems. */
const bytesOfName = 72;

/** A name in a directory is read in a tenth of the time in which a file is looked up. */
const namesForOne = 10;

/**
 * Tells which of many objects are not there without looking for each: the names in a folder are read once, where they are not many more than what is asked for.
 * Whatever else may be there, or not.
 */
export class ShelfNames {
  private readonly objects: string;
  private readonly asked = new Map<string, number>();
  private readonly names = new Map<string, ReadonlySet<string> | undefined>();

  constructor(objects: string, digests: readonly Digest[]) {
    this.objects = objects;
    if (digests.length < minAsked) return;
    for (const { hash } of digests) {
      const shelf = hash.slice(0, 2);
      this.asked.set(shelf, (this.asked.get(shelf) ?? 0) + 1);
    }
  }

  mayHave({ hash }: Digest): boolean {
    if (this.asked.size === 0) return true;
    const shelf = hash.slice(0, 2);
    if (!this.names.has(shelf)) this.names.set(shelf, this.read(shelf));
    return this.names.get(shelf)?.has(hash.slice(2)) ?? true;
  }

  /** `undefined` where it is too much, or cannot be read. */
  private read(shelf: string): ReadonlySet<string> | undefined {
    const folder = `${this.objects}/${shelf}`;
    const most = (this.asked.get(shelf) ?? 0) * namesForOne * bytesOfName;
    try {
      const stats = statSync(folder, { throwIfNoEntry: false });
      if (stats === undefined) return new Set();
      return stats.size > Math.max(most, 1 << 14) ? undefined : new Set(readdirSync(folder));
    } catch {
      return undefined; // looking for each says what is wrong
    }
  }
}
