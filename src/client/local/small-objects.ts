import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { type CacheLayout, objectPath } from "./cache-layout.ts";
import { makeFolder, placeFile, removeObject, writeTemporary } from "./object-file.ts";

/** Writes small objects one after the other, each under a name of this writer's until it is whole. */
export class SmallObjects {
  private readonly layout: CacheLayout;
  private readonly temporary: string;
  private readonly shelves = new Set<string>();

  constructor(layout: CacheLayout) {
    this.layout = layout;
    this.temporary = join(layout.incoming, `small-${process.pid}-${randomBytes(6).toString("hex")}`);
  }

  /** Gives the object's path. The bytes are those of the hash. Errors: those of the file system. */
  put(hash: string, bytes: Uint8Array): string {
    const path = objectPath(this.layout, { hash });
    this.makeShelf(path);
    writeTemporary(this.temporary, bytes, this.layout.objectMode);
    try {
      placeFile(this.temporary, path, bytes.length);
    } catch (error) {
      removeObject(this.temporary);
      throw error;
    }
    return path;
  }

  /** Makes the folder that an object lies in. */
  makeShelf(path: string): void {
    const shelf = dirname(path);
    if (this.shelves.has(shelf)) return;
    makeFolder(shelf);
    this.shelves.add(shelf);
  }
}
