import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { type Checksum, type ObjectName, type ObjectType, objectFileName, objectPath } from "../object-name.ts";
import { syncDirectory } from "./durable-file.ts";

/** Renames and syncs at the same time: enough for the disk to gather them. */
const atOnce = 8;

/**
 * Objects that are to come into a repository, in a directory of their own beside it. Each is on the disk once its promise resolves; none is part of the
 * repository before `place`.
 */
export class ObjectStaging {
  private readonly repository: string;
  private readonly directory: string;
  private readonly isThere: (checksum: Checksum, type: ObjectType) => boolean;
  /** By the names of their files: all that is new, or about to be. */
  private readonly begun = new Map<string, { readonly name: ObjectName; readonly done: Promise<void> }>();
  /** What `place` has put where it was not. */
  placed: readonly ObjectName[] = [];
  /** What failed, and was not tried again with success. */
  private readonly failed = new Map<string, unknown>();
  private closed = false;

  /** `directory`: in `repository`'s file system. `isThere`: whether the repository has an object. */
  constructor(repository: string, directory: string, isThere: (checksum: Checksum, type: ObjectType) => boolean) {
    this.repository = repository;
    this.directory = directory;
    this.isThere = isThere;
  }

  /** Whether an object is there, or has been begun. */
  has(checksum: Checksum, type: ObjectType): boolean {
    return this.begun.has(objectFileName({ checksum, type })) || this.isThere(checksum, type);
  }

  /** Where a staged object is; `undefined` where it is not staged. */
  async pathOf(checksum: Checksum, type: ObjectType): Promise<string | undefined> {
    const file = objectFileName({ checksum, type });
    const object = this.begun.get(file);
    await object?.done;
    return object && join(this.directory, file);
  }

  /**
   * Adds an object, unless it is there or on its way. `write` makes a file at the path that it is given, and verifies what it writes; it may be
   * tried again after it has failed.
   */
  add(name: ObjectName, write: (path: string) => Promise<void>): Promise<void> {
    const file = objectFileName(name);
    const before = this.begun.get(file);
    if (before !== undefined) return before.done;
    if (this.isThere(name.checksum, name.type)) return Promise.resolve();
    if (this.closed) return Promise.reject(new StillageError("cancelled", "the change was given up"));
    const done = this.write(file, write);
    this.begun.set(file, { name, done });
    done.catch(() => {});
    return done;
  }

  private async write(file: string, write: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.directory, file);
    try {
      await write(path);
      this.failed.delete(file);
    } catch (error) {
      this.begun.delete(file);
      this.failed.set(file, error);
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Waits for all that was begun. Errors: the first of one that failed. */
  async settle(): Promise<void> {
    for (const { done } of this.begun.values()) await done;
    for (const error of this.failed.values()) throw error;
  }

  /** Takes nothing any more, and waits until nothing is written. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(Array.from(this.begun.values(), ({ done }) => done));
  }

  /** The commits that are new. */
  get commits(): Checksum[] {
    return [...this.begun.values()].filter(({ name }) => name.type === "commit").map(({ name }) => name.checksum);
  }

  /**
   * Makes all that was added part of the repository: commits last, when all else is there for good. A crash in between leaves objects to which
   * nothing leads, and no commit without all that it needs: `fsck` is content, and pruning removes them.
   */
  async place(): Promise<void> {
    await this.settle();
    const names = [...this.begun.values()].map(({ name }) => name);
    // One that began beside others may have been overtaken by them.
    this.placed = names.filter(({ checksum, type }) => !this.isThere(checksum, type));
    await this.placeThese(names.filter(({ type }) => type !== "commit"));
    await this.placeThese(names.filter(({ type }) => type === "commit"));
  }

  /** Makes what has come whole part of the repository, but for commits: what was broken off need not come once more. Nothing leads to it until then. */
  async placeWhole(): Promise<void> {
    await this.close();
    const names = [...this.begun.values()].map(({ name }) => name);
    await this.placeThese(names.filter(({ checksum, type }) => type !== "commit" && !this.isThere(checksum, type)));
  }

  private async placeThese(names: readonly ObjectName[]): Promise<void> {
    const folders = new Set(names.map(({ checksum }) => `objects/${checksum.slice(0, 2)}`));
    try {
      const made = await Promise.all(Array.from(folders, (folder) => makeFolder(join(this.repository, folder))));
      await inParallel(names, atOnce, (name) => {
        const { checksum, type } = name;
        return rename(join(this.directory, objectFileName(name)), join(this.repository, objectPath(checksum, type)));
      });
      await inParallel(folders, atOnce, (folder) => syncDirectory(join(this.repository, folder)));
      if (made.some((path) => path !== undefined)) await syncDirectory(join(this.repository, "objects"));
    } catch (error) {
      throw fromFileSystem(error, `cannot put objects into ${this.repository}`);
    }
  }
}

/** Says of an error which object it concerns. */
export function ofObject(error: unknown, { checksum, type }: ObjectName): StillageError {
  if (!(error instanceof StillageError)) return fromFileSystem(error, `cannot write the ${type} ${checksum}`);
  const { code, hint, retryAfterMs } = error;
  return new StillageError(code, `the ${type} ${checksum}: ${error.message}`, {
    cause: error.cause ?? error,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
