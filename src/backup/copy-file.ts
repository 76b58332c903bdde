import { existsSync } from "node:fs";
import { chmod, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import {
  closeFile,
  openFile,
  readFully,
  syncData,
  syncDirectory,
  truncateFile,
  writeAll,
} from "../store/disk/file-io.ts";
import { openRegular } from "../store/disk/regular-file.ts";
import { shareBytes } from "../store/disk/shared-bytes.ts";
import { isDamage } from "./damage.ts";
import type { Pace } from "./pace.ts";
import { partEnding } from "./store-layout.ts";

const pieceBytes = 1 << 20;

/** A clone has the mode of its source, until it is given that of whatever is for its owner alone. */
const cloneMode = 0o600;

/** Copies files into a directory, each of them durable under its name or not there. Directories are to be synced by `finish`. */
export class FileCopier {
  private readonly target: string;
  private readonly pace: Pace;
  private readonly onBytes: (bytes: number) => void;
  private readonly buffer = Buffer.allocUnsafeSlow(pieceBytes);
  /** Directories that have new names. */
  private readonly changed = new Set<string>();

  /** `onBytes` is told of each piece that was copied. */
  constructor(target: string, pace: Pace, onBytes: (bytes: number) => void) {
    this.target = target;
    this.pace = pace;
    this.onBytes = onBytes;
  }

  /**
   * Copies a file to a path in the target, as a clone where the file system does that. Returns its length. A crash leaves it under its name with `.part`.
   * `counted` is false for what is no news. Errors: `corrupt` where the source is no file, or the disk has it no more; `exhausted` and others of the file
   * system; the signal's reason.
   */
  copy(source: string, path: string, counted = true): Promise<number> {
    return this.translated(path, async () => {
      const input = await openSource(source);
      const onBytes = counted ? this.onBytes : () => {};
      const target = join(this.target, path);
      const part = target + partEnding;
      let length: number;
      try {
        await this.makeFolder(dirname(target));
        await rm(part, { force: true });
        const cloned = await shareBytes(source, part, "clone");
        if (cloned) await chmod(part, cloneMode);
        const fd = await openFile(part, cloned ? "r+" : "wx");
        try {
          length = cloned ? (await stat(part)).size : await this.append(input, fd, 0, onBytes);
          if (cloned) onBytes(length);
          await syncData(fd);
        } finally {
          await closeFile(fd);
        }
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      } finally {
        await closeFile(input);
      }
      await rename(part, target);
      this.changed.add(dirname(target));
      return length;
    });
  }

  /** Copies what follows `from` in a file to its copy, which has all before. Returns its length. A crash leaves some of it. Errors: as above. */
  extend(source: string, path: string, from: number): Promise<number> {
    return this.translated(path, async () => {
      const input = await openSource(source);
      try {
        const fd = await openFile(join(this.target, path), "r+");
        try {
          const length = await this.append(input, fd, from, this.onBytes);
          await truncateFile(fd, length);
          await syncData(fd);
          return length;
        } finally {
          await closeFile(fd);
        }
      } finally {
        await closeFile(input);
      }
    });
  }

  /** Deletes a file of the target, where it is there; `finish` makes that durable, too. */
  async remove(path: string): Promise<void> {
    const target = join(this.target, path);
    await rm(target, { force: true });
    if (existsSync(dirname(target))) this.changed.add(dirname(target));
  }

  /** Waits until all names are on the disk. */
  async finish(): Promise<void> {
    for (const folder of this.changed) await syncDirectory(folder);
    this.changed.clear();
  }

  private async append(input: number, fd: number, from: number, onBytes: (bytes: number) => void): Promise<number> {
    for (let at = from; ; ) {
      const count = await readFully(input, this.buffer, at).catch(unreadable);
      await this.pace.take(count);
      if (count > 0) await writeAll(fd, this.buffer.subarray(0, count), at);
      at += count;
      onBytes(count);
      if (count < pieceBytes) return at;
    }
  }

  private async makeFolder(folder: string): Promise<void> {
    if (this.changed.has(folder) || existsSync(folder)) return;
    await this.makeFolder(dirname(folder));
    await makeFolder(folder);
    this.changed.add(dirname(folder));
    this.changed.add(folder);
  }

  private async translated<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UnreadableSource) {
        throw new StillageError("corrupt", `cannot read ${path}: ${error.message}`, { cause: error.cause });
      }
      if (!(error instanceof Error && "syscall" in error)) throw error;
      throw fromFileSystem(error, `cannot copy ${path}`);
    }
  }
}

/** What a file cannot be read for, apart from what it cannot be written for. */
class UnreadableSource extends Error {}

async function openSource(path: string): Promise<number> {
  const { fd } = await openRegular(path).catch(unreadable);
  return fd;
}

function unreadable(error: unknown): never {
  if (!isDamage(error)) throw error;
  throw new UnreadableSource((error as NodeJS.ErrnoException).code ?? (error as Error).message, { cause: error });
}
