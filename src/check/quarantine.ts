import { copyFile, link, mkdir, readdir, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { type Digest, showDigest } from "../base/digest.ts";

/** Where broken bytes go, in the store's directory: somebody may want to know what became of them, or get something back. */
export const quarantineFolder = "quarantine";

/** What it may hold. Broken bytes are of use to hardly anybody, and must not fill the disk of those who need it. */
export const maxQuarantineBytes = 1 << 30;
export const maxQuarantineEntries = 1000;

/** What was found where something else should be. */
export interface Broken {
  readonly instance: string;
  /** What the bytes should have been; `undefined` for bytes that belong to no blob. */
  readonly digest: Digest | undefined;
  /** The file that they were in, below the store's directory, and where in it. */
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
}

/**
 * Keeps what is broken: `TIME-NUMBER.bytes` as it was found, and `TIME-NUMBER.json`, which says what it should have been. The oldest go
 * when there is too much. A crash leaves bytes that nothing describes; they go when their turn comes. Nothing here is needed by anyone, so nothing is synced.
 */
export class Quarantine {
  private readonly directory: string;
  private readonly clock: Clock;
  private readonly maxBytes: number;
  private count = 0;

  /** `store`: its directory. */
  constructor(store: string, clock: Clock, maxBytes: number = maxQuarantineBytes) {
    this.directory = join(store, quarantineFolder);
    this.clock = clock;
    this.maxBytes = maxBytes;
  }

  /** Keeps bytes; `undefined` for those that cannot be read. */
  async keepBytes(broken: Broken, bytes: Uint8Array | undefined): Promise<void> {
    await this.keep(broken, async (path) => {
      if (bytes !== undefined) await writeFile(path, bytes);
    });
  }

  /** Keeps a file by another name for it, so that it may be removed; a file system without those gets a copy. */
  async keepFile(broken: Broken, file: string): Promise<void> {
    await this.keep(broken, async (path) => {
      if ((await stat(file)).size > this.maxBytes) return;
      await link(file, path).catch(() => copyFile(file, path));
    });
  }

  /** Moves a file here. */
  async takeFile(broken: Broken, file: string): Promise<void> {
    await this.keep(broken, (path) => rename(file, path));
  }

  private async keep({ instance, digest, file, offset, reason }: Broken, place: (path: string) => Promise<void>) {
    await mkdir(this.directory, { recursive: true });
    const at = new Date(this.clock());
    const path = join(this.directory, this.nameAt(at));
    await place(`${path}.bytes`);
    const what = digest === undefined ? {} : { function: digest.function.name, blob: showDigest(digest) };
    const said = { found: at.toISOString(), instance, ...what, file, offset, reason };
    await writeFile(`${path}.json`, `${JSON.stringify(said, undefined, 2)}\n`);
    await this.prune();
  }

  /** Names sort as they come; the process's own number keeps those of one moment apart. */
  private nameAt(time: Date): string {
    const stamp = time.toISOString().replaceAll(/[-:]/g, "");
    return `${stamp}-${process.pid}-${String(++this.count).padStart(6, "0")}`;
  }

  /** Deletes the oldest until the rest is within bounds. */
  private async prune(): Promise<void> {
    let bytes = 0;
    const seen = new Set<string>();
    for (const name of (await readdir(this.directory)).sort().reverse()) {
      const path = join(this.directory, name);
      bytes += (await stat(path)).size;
      seen.add(name.slice(0, name.lastIndexOf(".")));
      if (bytes > this.maxBytes || seen.size > maxQuarantineEntries) await unlink(path);
    }
  }
}
