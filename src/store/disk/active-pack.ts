import { closeAll } from "../../base/close-all.ts";
import { directAlignment, directAppend } from "./direct-io.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile, openFile, syncData, truncateFile, writeAll } from "./file-io.ts";
import type { IndexRecord } from "./index-format.ts";
import type { Pack } from "./pack.ts";
import { SharedRun } from "./shared-run.ts";

/** The index file is written after this much of a pack, which bounds what a start after a crash has to read … */
const listEveryBytes = 8 << 20;
const listEveryBlobs = 4096;

/** … and synced after this much, which bounds what a start after a power cut has to read. */
const syncEveryBytes = 64 << 20;

/**
 * A write with this much between its first and last disk block goes past the page cache, all but those two: what is pushed in bulk is
 * rarely what is asked for next, and copying it there costs more than anything else about it. Small writes stay, for the checks that follow them.
 */
const directBytes = 256 << 10;

/**
 * The pack that is appended to. Its index file never lists what has not been synced: what is listed there need not be verified at start.
 * Without durability, therefore, records wait for a sync of their own, which nobody waits for.
 */
export class ActivePack {
  readonly pack: Pack;
  private readonly fd: number;
  /** To write past the page cache with. */
  private readonly directFd: number | undefined;
  private readonly context: DiskContext;
  /** Positions up to which the index file lists, and up to which it has been synced. */
  private listed: number;
  private listSynced: number;
  /** Where the next record goes; `pack.end` is behind by what waits for a sync. */
  private written: number;
  private readonly syncs = new SharedRun(() => this.sync());
  private failure: unknown;

  static async open(pack: Pack, context: DiskContext): Promise<ActivePack> {
    const fd = await openFile(pack.path, "r+");
    try {
      const directFd = context.direct ? await openFile(pack.path, directAppend) : undefined;
      return new ActivePack(pack, fd, directFd, context);
    } catch (error) {
      await closeFile(fd);
      throw error;
    }
  }

  private constructor(pack: Pack, fd: number, directFd: number | undefined, context: DiskContext) {
    this.pack = pack;
    this.fd = fd;
    this.directFd = directFd;
    this.context = context;
    this.listed = pack.end;
    this.listSynced = pack.end;
    this.written = pack.end;
    pack.index.hold();
  }

  /** False once it is full, or what the disk has of it is not known. */
  get takesMore(): boolean {
    return this.pack.appendable && this.left > 0;
  }

  /** Bytes until it is full. */
  get left(): number {
    return this.context.packBytes - this.written;
  }

  /** Where in an aligned buffer the next record is to be laid out. */
  get startInBuffer(): number {
    return this.written % directAlignment;
  }

  /** Writes what lies in an aligned buffer from `startInBuffer` to `end`, and returns where. Where that fails, the pack is as it was before. */
  async append(buffer: Uint8Array, start: number, end: number): Promise<number> {
    const position = this.written;
    try {
      await this.write(buffer, start, end);
      this.context.faults.reach("pack written");
    } catch (error) {
      await truncateFile(this.fd, position).catch(() => {}); // else the next write goes over it, or the next start finds it
      throw error;
    }
    this.written += end - start;
    return position;
  }

  /** Resolves when all that has been appended before is on the disk, where that is wanted; together with all others who ask. */
  async synced(durable: boolean): Promise<void> {
    if (durable) await this.syncs.ask();
    this.mustBeGood();
  }

  /** Throws where a sync has failed: a later one may succeed without what that has lost. */
  mustBeGood(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Notes the record that ends at `end` for the index file. */
  list(record: IndexRecord, end: number): void {
    if (this.context.durable) this.pack.index.add(record, end);
    else this.pack.unlisted.push({ record, end });
  }

  /** Writes the index file when it is time. A failure costs the next start some reading, no more. */
  async writeList(): Promise<void> {
    const { pack } = this;
    const blobs = pack.index.waiting + pack.unlisted.length;
    if (blobs < listEveryBlobs && pack.end - this.listed < listEveryBytes) return;
    await this.writeListNow(pack.end - this.listSynced >= syncEveryBytes);
  }

  /** Completes and syncs the index file and lets go of both. What was not published is cut off. */
  async close(): Promise<void> {
    const { pack, fd, directFd, context } = this;
    await closeAll([
      async () => {
        if (this.written > pack.end) await truncateFile(fd, pack.end);
      },
      () => this.writeListNow(true),
      () => pack.index.close(),
      async () => {
        if (directFd !== undefined) await closeFile(directFd);
      },
      () => closeFile(fd),
    ]).catch((error) => context.log.warn({ pack: pack.path, error }, "cannot complete a pack"));
  }

  private async write(buffer: Uint8Array, start: number, end: number): Promise<void> {
    const { fd, directFd } = this;
    const base = this.written - start;
    const from = Math.ceil(start / directAlignment) * directAlignment;
    const to = Math.floor(end / directAlignment) * directAlignment;
    if (directFd === undefined || to - from < directBytes)
      return writeAll(fd, buffer.subarray(start, end), base + start);
    if (from > start) await writeAll(fd, buffer.subarray(start, from), base + start);
    await writeAll(directFd, buffer.subarray(from, to), base + from);
    if (end > to) await writeAll(fd, buffer.subarray(to, end), base + to);
  }

  private async sync(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    try {
      await syncData(this.fd);
      this.context.faults.reach("pack synced");
    } catch (error) {
      this.pack.appendable = false;
      this.failure ??= error;
      throw error;
    }
  }

  private async writeListNow(sync: boolean): Promise<void> {
    const { pack, context } = this;
    try {
      if (!context.durable) {
        await this.sync();
        for (const { record, end } of pack.unlisted.splice(0)) pack.index.add(record, end);
      }
      await pack.index.write();
      this.listed = pack.end;
      context.faults.reach("index written");
      if (!sync) return;
      await pack.index.commit();
      this.listSynced = pack.end;
    } catch (error) {
      context.log.warn({ pack: pack.path, error }, "cannot write the index of a pack now");
    }
  }
}
