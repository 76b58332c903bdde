import type { DiskContext } from "./disk-context.ts";
import { closeFile, syncData, truncateFile, writeAllPieces } from "./file-io.ts";
import type { IndexRecord } from "./index-format.ts";
import type { Pack } from "./pack.ts";

/** The index file is written after this much of a pack, which bounds what a start after a crash has to read … */
const listEveryBytes = 8 << 20;
const listEveryBlobs = 4096;

/** … and synced after this much, which bounds what a start after a power cut has to read. */
const syncEveryBytes = 64 << 20;

/**
 * The pack that is appended to. Its index file never lists what has not been synced: what is listed there need not be verified at start.
 * Without durability, therefore, records wait for a sync of their own, which nobody waits for.
 */
export class ActivePack {
  readonly pack: Pack;
  private readonly fd: number;
  private readonly context: DiskContext;
  /** Positions up to which the index file lists, and up to which it has been synced. */
  private listed: number;
  private synced: number;

  constructor(pack: Pack, fd: number, context: DiskContext) {
    this.pack = pack;
    this.fd = fd;
    this.context = context;
    this.listed = pack.end;
    this.synced = pack.end;
    pack.index.hold();
  }

  /** Writes records behind the last one. Where that fails, the pack is as it was before. */
  async append(pieces: Uint8Array[]): Promise<void> {
    const { pack, fd, context } = this;
    try {
      await writeAllPieces(fd, pieces, pack.end);
      context.faults.reach("pack written");
      if (context.durable) await this.sync();
    } catch (error) {
      await truncateFile(fd, pack.end).catch(() => {}); // else the next write goes over it, or the next start finds it
      throw error;
    }
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
    await this.writeListNow(pack.end - this.synced >= syncEveryBytes);
  }

  /** Completes and syncs the index file and lets go of both. */
  async close(): Promise<void> {
    await this.writeListNow(true);
    await this.pack.index.close().catch(() => {}); // the same failure once more
    await closeFile(this.fd).catch((error) =>
      this.context.log.warn({ pack: this.pack.path, error }, "cannot close a pack"),
    );
  }

  private async sync(): Promise<void> {
    try {
      await syncData(this.fd);
    } catch (error) {
      this.pack.appendable = false;
      throw error;
    }
    this.context.faults.reach("pack synced");
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
      this.synced = pack.end;
    } catch (error) {
      context.log.warn({ pack: pack.path, error }, "cannot write the index of a pack now");
    }
  }
}
