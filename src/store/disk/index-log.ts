import { constants, existsSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import type { DigestFunction } from "../../base/digest-function.ts";
import { closeFile, syncData, writeAll } from "./file-io.ts";
import {
  encodeBlock,
  type IndexBlock,
  type IndexRecord,
  indexHeader,
  indexHeaderLength,
  maxBlockRecords,
  readBlocks,
  recordWords,
  writeRecord,
} from "./index-format.ts";
import { SharedRun } from "./shared-run.ts";

const firstCapacity = 64;

/**
 * An index file that records are appended to. They gather in memory until `write`, which makes them one block. Where that
 * fails they are kept and go with the next, which is written over what there may be of the first.
 * A crash while a block is written leaves one that does not verify: `load` cuts it off.
 */
export class IndexLog {
  private readonly path: string;
  private readonly function: DigestFunction;
  private readonly writes = new SharedRun(() => this.writePending());
  private readonly commits = new SharedRun(() => this.writeAndSync());
  private fd: number | undefined;
  private held = false;
  private pending = new Uint32Array(0);
  private covered = 0;
  /** Records that wait for `write`. */
  waiting = 0;
  /** Bytes of the file that are good; the next block goes there. */
  length = 0;

  constructor(path: string, fn: DigestFunction) {
    this.path = path;
    this.function = fn;
  }

  /**
   * Hands each block of the file to `take`, in order, until one is refused by answering false.
   * Returns whether there is a file and all of it verified and was taken; what was not is cut off.
   */
  load(take: (block: IndexBlock) => boolean): boolean {
    if (!existsSync(this.path)) return false;
    const fd = this.file();
    const { size } = fstatSync(fd);
    for (const block of readBlocks(fd, size, this.function)) {
      if (!take(block)) break;
      this.length = block.end;
      this.covered = block.covered;
    }
    if (size > this.length) ftruncateSync(fd, this.length);
    return size === this.length;
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
    return this.writes.ask();
  }

  /** Writes what waits and waits until it is on the disk; all who ask meanwhile share one sync. */
  commit(): Promise<void> {
    return this.commits.ask();
  }

  /** Keeps the file open between writes, until `close`. */
  hold(): void {
    this.held = true;
  }

  async close(): Promise<void> {
    this.held = false;
    await this.letGo();
  }

  private async writeAndSync(): Promise<void> {
    try {
      await this.writes.ask();
      await syncData(this.file());
    } finally {
      if (!this.held) await this.letGo();
    }
  }

  private async letGo(): Promise<void> {
    const { fd } = this;
    this.fd = undefined;
    if (fd !== undefined) await closeFile(fd);
  }

  private async writePending(): Promise<void> {
    const width = recordWords(this.function);
    if (this.length === 0 && this.waiting > 0) {
      await writeAll(this.file(), indexHeader(this.function), 0);
      this.length = indexHeaderLength;
    }
    while (this.waiting > 0) {
      const count = Math.min(this.waiting, maxBlockRecords);
      const block = encodeBlock(this.function, this.pending, count, this.covered);
      await writeAll(this.file(), block, this.length);
      this.length += block.length;
      this.waiting -= count;
      this.pending.copyWithin(0, count * width, (count + this.waiting) * width);
    }
  }

  private file(): number {
    this.fd ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o644);
    return this.fd;
  }
}
