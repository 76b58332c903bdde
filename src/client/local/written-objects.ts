import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../../store/disk/file-io.ts";
import { cacheFailure, isAbsent } from "./cache-failure.ts";
import { objectPath } from "./cache-layout.ts";
import { removeObject } from "./object-file.ts";

/**
 * So many files are synced one by one at most: each takes some 0.5 ms with its folder, the whole file system 200 ms for 20,000 of them, and whatever others have
 * written to it besides.
 */
const maxSingle = 64;

/** Syncs that come together share what the file system has to write for each. */
const syncsAtOnce = 4;

/** Linux writes what has been changed for 30 s; this is four times as long, in milliseconds. */
const maxWaitMs = 120_000;

/** What the times of files may be behind the clock. */
const clockStepMs = 20;

/** Objects that were written and may not be on the disk yet, by whomever. */
export class WrittenObjects {
  /** Where all objects are. */
  private readonly folder: string;
  private readonly hashes = new Set<string>();
  /** Where there are too many of them to be told one by one: the folders that they are in. */
  private readonly shelves = new Set<string>();
  /** What had changed before this is on the disk. */
  private syncedUntil = 0;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private failure: StillageError | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  add(hash: string): void {
    if (this.shelves.size > 0) {
      this.shelves.add(hash.slice(0, 2));
      return;
    }
    this.hashes.add(hash);
    if (this.hashes.size <= maxSingle) return;
    for (const each of this.hashes) this.shelves.add(each.slice(0, 2));
    this.hashes.clear();
  }

  /** Whether a file that changed last at this time may not be on the disk yet, although nobody has added it. In milliseconds since 1970. */
  mayWait(changed: number): boolean {
    return changed > this.syncedUntil && changed > Date.now() - maxWaitMs;
  }

  /**
   * Settles when all that was added before is on the disk. Calls that come while one runs share the next. Errors: those of the file system, and after the first one always the same: Linux
   * tells of what it could not write once, and whoever asked again would hear that all is well. Files that it told of are removed, so that they come again.
   */
  sync(): Promise<void> {
    if (this.running === undefined) {
      this.running = this.syncAll().finally(() => {
        this.running = undefined;
      });
      return this.running;
    }
    this.next ??= this.running
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return this.sync();
      });
    return this.next;
  }

  private async syncAll(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const [hashes, shelves] = [[...this.hashes], [...this.shelves]];
    if (hashes.length === 0 && shelves.length === 0) return;
    this.hashes.clear();
    this.shelves.clear();
    const began = Date.now();
    try {
      if (shelves.length > 0 && (await syncFileSystem(this.folder))) {
        this.syncedUntil = began - clockStepMs;
        return;
      }
      const folders = new Set([...shelves.map((shelf) => join(this.folder, shelf)), this.folder]);
      for (const shelf of shelves) {
        await inParallel(youngFilesIn(join(this.folder, shelf), began), syncsAtOnce, syncFile);
      }
      const paths = hashes.map((hash) => objectPath({ objects: this.folder }, { hash }));
      await inParallel(paths, syncsAtOnce, syncFile);
      for (const path of paths) folders.add(dirname(path));
      for (const folder of folders) await syncDirectory(folder);
    } catch (error) {
      this.failure = cacheFailure(error, `waiting for the disk with ${this.folder}`);
      throw this.failure;
    }
  }
}

/** What whoever wrote to a folder may still have to wait for. */
function youngFilesIn(folder: string, now: number): string[] {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  return paths.filter((path) => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) > now - maxWaitMs);
}

/** By the program of coreutils: Node cannot. False where it is not there, or fails. */
async function syncFileSystem(folder: string): Promise<boolean> {
  // On its own, or Ctrl-C in a terminal would end it as well.
  const program = spawn("sync", ["-f", folder], { stdio: "ignore", detached: true });
  return new Promise((resolve) => {
    program.once("error", () => resolve(false));
    program.once("exit", (code) => resolve(code === 0));
  });
}

async function syncFile(path: string): Promise<void> {
  let fd: number;
  try {
    fd = await openFile(path, "r");
  } catch (error) {
    if (isAbsent(error)) return; // it has expired
    throw error;
  }
  try {
    await syncData(fd);
  } catch (error) {
    removeObject(path);
    throw error;
  } finally {
    await closeFile(fd);
  }
}
