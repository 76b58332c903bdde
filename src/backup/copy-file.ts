import { existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromFileSystem } from "../base/errors.ts";
import {
  closeFile,
  openFile,
  readFully,
  syncData,
  syncDirectory,
  truncateFile,
  writeAll,
} from "../store/disk/file-io.ts";
import { shareBytes } from "../store/disk/shared-bytes.ts";
import type { Pace } from "./pace.ts";
import { partEnding } from "./store-layout.ts";

const pieceBytes = 1 << 20;

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
   * Errors: `exhausted` and others of the file system, the signal's reason.
   */
  copy(source: string, path: string): Promise<number> {
    return this.translated(path, async () => {
      const target = join(this.target, path);
      const part = target + partEnding;
      await this.makeFolder(dirname(target));
      await rm(part, { force: true });
      const cloned = await shareBytes(source, part, "clone");
      const fd = await openFile(part, cloned ? "r+" : "wx");
      let length: number;
      try {
        length = cloned ? (await stat(part)).size : await this.append(source, fd, 0);
        if (cloned) this.onBytes(length);
        await syncData(fd);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      } finally {
        await closeFile(fd);
      }
      await rename(part, target);
      this.changed.add(dirname(target));
      return length;
    });
  }

  /** Copies what follows `from` in a file to its copy, which has all before. Returns its length. A crash leaves some of it. Errors: as above. */
  extend(source: string, path: string, from: number): Promise<number> {
    return this.translated(path, async () => {
      const fd = await openFile(join(this.target, path), "r+");
      try {
        const length = await this.append(source, fd, from);
        await truncateFile(fd, length);
        await syncData(fd);
        return length;
      } finally {
        await closeFile(fd);
      }
    });
  }

  /** Waits until all names are on the disk. */
  async finish(): Promise<void> {
    for (const folder of this.changed) await syncDirectory(folder);
    this.changed.clear();
  }

  private async append(source: string, fd: number, from: number): Promise<number> {
    const input = await openFile(source, "r");
    try {
      for (let at = from; ; ) {
        const count = await readFully(input, this.buffer, at);
        await this.pace.take(count);
        if (count > 0) await writeAll(fd, this.buffer.subarray(0, count), at);
        at += count;
        this.onBytes(count);
        if (count < pieceBytes) return at;
      }
    } finally {
      await closeFile(input);
    }
  }

  private async makeFolder(folder: string): Promise<void> {
    if (this.changed.has(folder) || existsSync(folder)) return;
    await this.makeFolder(dirname(folder));
    await mkdir(folder, { recursive: true });
    this.changed.add(dirname(folder));
    this.changed.add(folder);
  }

  private async translated<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
      throw fromFileSystem(error, `cannot copy ${path}`);
    }
  }
}
