import { closeSync, openSync } from "node:fs";
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
  }

  closeAll(): void {
    for (const pack of this.open) this.close(pack);
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
    pack.reading.fd = -1;
    this.open.delete(pack);
  }
}
