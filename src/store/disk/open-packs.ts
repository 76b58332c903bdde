import { closeSync, openSync } from "node:fs";
import { closeFile } from "./file-io.ts";
import type { Pack } from "./pack.ts";

/** Packs that are held open for reading, at most, but for those being read: a part of the 1,024 files that a process may open. */
const maxOpen = 128;

/** Opens packs for reading and keeps those open that were read last. */
export class OpenPacks {
  private readonly open = new Set<Pack>();
  private tick = 0;

  /** The file descriptor of a pack, good until `release`. */
  acquire(pack: Pack): number {
    const { reading } = pack;
    if (reading.fd < 0) {
      if (this.open.size >= maxOpen) this.closeOldest();
      reading.fd = openSync(pack.path, "r");
      this.open.add(pack);
    }
    reading.users++;
    reading.last = ++this.tick;
    return reading.fd;
  }

  release(pack: Pack): void {
    pack.reading.users--;
    this.left(pack);
    if (this.open.size > maxOpen) this.closeOldest(); // there were more that were being read
  }

  /** Keeps a pack in its place for one who is going to `acquire` it, until `letGo`. */
  hold(pack: Pack): void {
    pack.reading.holders++;
  }

  letGo(pack: Pack): void {
    pack.reading.holders--;
    this.left(pack);
  }

  /** Resolves once nobody holds a pack. The index leads nobody there any more. */
  async untilFree(pack: Pack): Promise<void> {
    while (pack.reading.holders > 0) await this.change(pack);
  }

  /** Closes a pack that has lost its place; resolves when the last who reads it has left. */
  async drop(pack: Pack): Promise<void> {
    const { reading } = pack;
    while (reading.users > 0) await this.change(pack);
    if (reading.fd < 0) return;
    const { fd } = reading;
    this.forget(pack);
    await closeFile(fd); // that is when a file without a name is deleted, which takes many milliseconds
  }

  closeAll(): void {
    for (const pack of this.open) this.close(pack);
  }

  /** Resolves when somebody leaves a pack. One at a time waits for that: whoever deletes it, which comes to `drop` after `untilFree`. */
  private change({ reading }: Pack): Promise<void> {
    return new Promise((resolve) => {
      reading.settled = resolve;
    });
  }

  private left({ reading }: Pack): void {
    const { settled } = reading;
    if (settled === undefined) return;
    reading.settled = undefined;
    settled();
  }

  private closeOldest(): void {
    let oldest: Pack | undefined;
    for (const pack of this.open) {
      if (pack.reading.users > 0) continue;
      if (oldest === undefined || pack.reading.last < oldest.reading.last) oldest = pack;
    }
    if (oldest !== undefined) this.close(oldest);
  }

  private close(pack: Pack): void {
    closeSync(pack.reading.fd);
    this.forget(pack);
  }

  private forget(pack: Pack): void {
    pack.reading.fd = -1;
    this.open.delete(pack);
  }
}
