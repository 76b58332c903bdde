import { constants, existsSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { DigestFunction } from "../../base/digest-function.ts";
import type { FaultPoints } from "./faults.ts";
import { closeFile, syncData, syncDirectory, writeAll } from "./file-io.ts";
import {
  encodeBlock,
  type IndexBlock,
  type IndexRecord,
  indexHeader,
  indexHeaderLength,
  readBlocks,
  recordWords,
  writeRecord,
  writtenBlockRecords,
} from "./index-format.ts";
import { newPath, type UseOf, writeIndexAnew } from "./index-rewrite.ts";
import { SharedRun } from "./shared-run.ts";

const firstCapacity = 64;

interface Rewrite {
  readonly used: UseOf;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An index file that records are appended to. They gather in memory until `write`, which makes them one block. Where that
 * fails they are kept and go with the next, which is written over what there may be of the first.
 * A crash while a block is written leaves one that does not verify: `cut` takes it off.
 */
export class IndexLog {
  private readonly path: string;
  private readonly function: DigestFunction;
  private readonly faults: FaultPoints;
  private readonly runs = new SharedRun(() => this.run());
  private fd: number | undefined;
  private held = false;
  /** The file's name is on the disk. */
  private named = false;
  private discarded = false;
  private syncAsked = false;
  private rewriteAsked: Rewrite | undefined;
  private pending = new Uint32Array(0);
  private covered = 0;
  /** What the file's last block covers: a block claims no record that only the next one lists, as that may never be written. */
  private writtenCovered = 0;
  /** Records that wait for `write`. */
  waiting = 0;
  /** Bytes of the file that are good; the next block goes there. */
  length = 0;

  constructor(path: string, fn: DigestFunction, faults: FaultPoints) {
    this.path = path;
    this.function = fn;
    this.faults = faults;
  }

  /**
   * Hands each block of the file to `take`, in order, until one is refused by answering false.
   * Returns whether there is a file and all of it verified and was taken; what was not stays until `cut`.
   */
  load(take: (block: IndexBlock) => boolean): boolean {
    if (!existsSync(this.path)) return false;
    const fd = this.file();
    const { size } = fstatSync(fd);
    this.length = 0;
    this.covered = 0;
    for (const block of readBlocks(fd, size, this.function)) {
      if (!take(block)) break;
      this.length = block.end;
      this.covered = Math.max(this.covered, block.covered);
    }
    this.writtenCovered = this.covered;
    return size === this.length;
  }

  /** Cuts off what `load` has not taken, as has to be done before more is written. */
  cut(): void {
    if (existsSync(this.path)) ftruncateSync(this.file(), this.length);
  }

  /** Adds a record. `covered`: for a pack's, once it is added, all of the pack up to here is listed. */
  add(record: IndexRecord, covered: number = this.covered): void {
    this.covered = covered;
    const width = recordWords(this.function);
    const at = this.waiting * width;
    if (at === this.pending.length) {
      const grown = new Uint32Array(Math.max(at * 2, firstCapacity * width));
      grown.set(this.pending);
      this.pending = grown;
    }
    writeRecord(this.pending, at, this.function, record);
    this.waiting++;
  }

  /** Writes what waits, without a sync. */
  write(): Promise<void> {
    return this.runs.ask();
  }

  /** Writes what waits and waits until it is on the disk; all who ask meanwhile share one sync. */
  commit(): Promise<void> {
    this.syncAsked = true;
    return this.runs.ask();
  }

  /**
   * Replaces the file by one without what was removed since, and with the last uses that `used` tells. What is added meanwhile follows as
   * ever. A crash leaves the old file, with or without the beginnings of a new one beside it, or the new one in its place.
   */
  async rewrite(used: UseOf): Promise<void> {
    if (this.waiting > 0) await this.runs.ask(); // what waits says when its blobs came, not when they were last used
    const before = this.rewriteAsked; // one is as good for both
    const done = new Promise<void>((resolve, reject) => {
      this.rewriteAsked = { used, resolve, reject };
    });
    if (before !== undefined) done.then(before.resolve, before.reject);
    await Promise.all([this.runs.ask(), done]);
  }

  /** Deletes the file, and writes no more of what is added. */
  async discard(): Promise<void> {
    this.discarded = true;
    this.held = false;
    await this.runs.ask();
    await unlink(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }

  /** Keeps the file open between writes, until `close`. */
  hold(): void {
    this.held = true;
  }

  async close(): Promise<void> {
    this.held = false;
    await this.runs.ask();
  }

  private async run(): Promise<void> {
    const { syncAsked, rewriteAsked } = this;
    this.syncAsked = false;
    this.rewriteAsked = undefined;
    try {
      if (this.discarded) {
        rewriteAsked?.resolve();
        return;
      }
      if (rewriteAsked !== undefined) {
        await this.replace(rewriteAsked.used).then(rewriteAsked.resolve, rewriteAsked.reject);
      }
      if (this.waiting > 0) await this.writePending();
      if (syncAsked) await this.sync();
    } finally {
      if (!this.held) await this.letGo();
    }
  }

  /** The first sync is one of the directory, too: whoever made the file, now or before a crash, may not have come to that. */
  private async sync(): Promise<void> {
    await syncData(this.file());
    if (this.named) return;
    await syncDirectory(dirname(this.path));
    this.named = true;
  }

  private async writePending(): Promise<void> {
    const width = recordWords(this.function);
    if (this.length === 0) {
      await writeAll(this.file(), indexHeader(this.function), 0);
      this.length = indexHeaderLength;
    }
    while (this.waiting > 0) {
      const count = Math.min(this.waiting, writtenBlockRecords);
      const covered = count < this.waiting ? this.writtenCovered : this.covered;
      const block = encodeBlock(this.function, this.pending, count, covered);
      await writeAll(this.file(), block, this.length);
      this.writtenCovered = covered;
      this.length += block.length;
      this.waiting -= count;
      this.pending.copyWithin(0, count * width, (count + this.waiting) * width);
      if (this.waiting > 0) this.faults.reach("index half written");
    }
  }

  private async replace(used: UseOf): Promise<void> {
    const old = readBlocks(this.file(), this.length, this.function);
    const length = await writeIndexAnew(this.path, this.function, old, used);
    this.faults.reach("index rewritten");
    this.named = false;
    await rename(newPath(this.path), this.path);
    this.faults.reach("index replaced");
    await this.letGo();
    this.length = length;
    await syncDirectory(dirname(this.path));
    this.named = true;
  }

  private file(): number {
    this.fd ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o644);
    return this.fd;
  }

  private async letGo(): Promise<void> {
    const { fd } = this;
    this.fd = undefined;
    if (fd !== undefined) await closeFile(fd);
  }
}
