import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Checksum, type ObjectName, type ObjectType, objectTypes, parseObjectPath } from "../object-name.ts";

/** A file below `objects`. */
export interface StoredFile {
  /** Its path in the repository. */
  readonly path: string;
  /** What it is; `undefined` for detached metadata, tombstones and what is not OSTree's. */
  readonly object: ObjectName | undefined;
  /** The commit to which detached metadata or a tombstone belongs. */
  readonly besideCommit: Checksum | undefined;
}

/** Everything below `objects`, one directory after the other. */
export async function* storedFiles(repository: string): AsyncGenerator<StoredFile> {
  for (const folder of (await readdir(join(repository, "objects"))).sort()) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const file of await readdir(join(repository, "objects", folder))) {
      const path = `objects/${folder}/${file}`;
      const [, rest] = /^([0-9a-f]{62})\.(?:commitmeta|tombstone-commit)$/.exec(file) ?? [];
      const besideCommit = rest === undefined ? undefined : `${folder}${rest}`;
      yield { path, object: parseObjectPath(path), besideCommit };
    }
  }
}

/** Names of objects, in half the memory that their text would take: there may be a million. */
export class ObjectSet {
  private readonly sets: Record<ObjectType, Set<string>> = {
    commit: new Set(),
    dirtree: new Set(),
    dirmeta: new Set(),
    file: new Set(),
  };

  has({ checksum, type }: ObjectName): boolean {
    return this.sets[type].has(packed(checksum));
  }

  /** Gives whether it was not there. */
  add({ checksum, type }: ObjectName): boolean {
    const set = this.sets[type];
    const before = set.size;
    set.add(packed(checksum));
    return set.size > before;
  }

  /** How many are not in another set. */
  outside(other: ObjectSet): number {
    let count = 0;
    for (const type of objectTypes) for (const name of this.sets[type]) if (!other.sets[type].has(name)) count++;
    return count;
  }
}

const packed = (checksum: Checksum): string => Buffer.from(checksum, "hex").toString("latin1");
