import { rmSync } from "node:fs";
import { makeFolderSync } from "../../base/make-folder.ts";
import { isAbsent } from "./cache-failure.ts";
import { type CacheLayout, objectPath, shelfPath } from "./cache-layout.ts";
import { placeFile, removeObject, writeTemporary } from "./object-file.ts";

/**
 * Writes small objects one after the other, each under a name of this writer's until it is whole. That name is in a folder of this writer's: those who make and remove files
 * in one folder wait for one another, and on ext4 take twice as long.
 */
export class SmallObjects {
  private readonly layout: CacheLayout;
  private readonly folder: string;
  private readonly temporary: string;
  private readonly shelves = new Set<string>();
  /** See `writeTemporary`; `undefined` before the first. */
  private getsMode: boolean | undefined;

  /** `name` is that of its folder in the layout's `incoming`. */
  constructor(layout: CacheLayout, name: string) {
    this.layout = layout;
    this.folder = `${layout.incoming}/${name}`;
    this.temporary = `${this.folder}/object`;
  }

  /** The bytes are those of the hash. A crash leaves this writer's folder, with one file or none. Errors: those of the file system. */
  put(hash: string, bytes: Uint8Array): void {
    this.makeShelf(hash);
    this.write(bytes);
    try {
      placeFile(this.temporary, objectPath(this.layout, { hash }), bytes.length);
    } catch (error) {
      removeObject(this.temporary);
      throw error;
    }
  }

  private write(bytes: Uint8Array): void {
    if (this.getsMode !== undefined) {
      try {
        writeTemporary(this.temporary, bytes, this.layout.objectMode, this.getsMode);
        return;
      } catch (error) {
        // Others take the folder of a writer away that has not written for long.
        if (!isAbsent(error)) throw error;
      }
    }
    makeFolderSync(this.folder);
    this.getsMode = writeTemporary(this.temporary, bytes, this.layout.objectMode, this.getsMode);
  }

  /** Makes the folder that an object lies in. */
  makeShelf(hash: string): void {
    const name = hash.slice(0, 2);
    if (this.shelves.has(name)) return;
    makeFolderSync(shelfPath(this.layout, { hash }));
    this.shelves.add(name);
  }

  /** Removes the folder of this writer. Never fails: what stays, whoever writes later removes. */
  close(): void {
    if (this.getsMode === undefined) return;
    try {
      rmSync(this.folder, { recursive: true, force: true });
    } catch {
      // another's by now, or a file system that fails
    }
  }
}
