import { copyFile, link, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { type Digest, showDigest } from "../base/digest.ts";
import { makeFolder } from "../base/make-folder.ts";

/** Where broken bytes go, in the store's directory: somebody may want to know what became of them, or get something back. */
export const quarantineFolder = "quarantine";

/** What it may hold. Broken bytes are of use to hardly anybody, and must not fill the disk of those who need it. */
export const maxQuarantineBytes = 1 << 30;
export const maxQuarantineEntries = 1000;

/** What is left where there was too much, as a part of the bounds: else every further entry would have to look for the oldest. */
const keptShare = 0.75;

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
 * when there is too much; a single file that is larger than all of it may be is described, and not kept. A crash leaves bytes that nothing describes; they go when their turn comes. Nothing here is needed by anyone, so nothing is synced.
 */
export class Quarantine {
  private readonly directory: string;
  private readonly clock: Clock;
  private readonly maxBytes: number;
  private count = 0;
  /** What it holds, once that was looked up. */
  private held: { bytes: number; entries: number } | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** `store`: its directory. */
  constructor(store: string, clock: Clock, maxBytes: number = maxQuarantineBytes) {
    this.directory = join(store, quarantineFolder);
    this.clock = clock;
    this.maxBytes = maxBytes;
  }

  /** Keeps bytes; `undefined` for those that cannot be read. */
  async keepBytes(broken: Broken, bytes: Uint8Array | undefined): Promise<void> {
    await this.keep(broken, bytes?.length ?? 0, async (path) => {
      if (bytes !== undefined) await writeFile(path, bytes);
    });
  }

  /** Keeps a file by another name for it, so that it may be removed; a file system without those gets a copy. */
  async keepFile(broken: Broken, file: string): Promise<void> {
    await this.keep(broken, (await stat(file)).size, (path) => link(file, path).catch(() => copyFile(file, path)));
  }

  /** Moves a file here; where it cannot be kept, it is deleted. */
  async takeFile(broken: Broken, file: string): Promise<void> {
    const { size } = await stat(file);
    await this.keep(broken, size, (path) => rename(file, path));
    if (size > this.maxBytes) await rm(file);
  }

  /** One after the other, so that what is held is known. */
  private keep(broken: Broken, size: number, place: (path: string) => Promise<void>): Promise<void> {
    const keeping = this.last.then(() => this.keepNext(broken, size, place));
    this.last = keeping.catch(() => {}); // who asked is told
    return keeping;
  }

  private async keepNext(broken: Broken, size: number, place: (path: string) => Promise<void>): Promise<void> {
    const { instance, digest, file, offset, reason } = broken;
    await makeFolder(this.directory);
    this.held ??= await this.measure();
    const at = new Date(this.clock());
    const path = join(this.directory, this.nameAt(at));
    const kept = size <= this.maxBytes;
    if (kept) await this.placeWhole(`${path}.bytes`, place);
    const what = digest === undefined ? {} : { function: digest.function.name, blob: showDigest(digest) };
    const why = kept ? reason : `${reason}; its ${size} bytes are more than are kept`;
    const said = { found: at.toISOString(), instance, ...what, file, offset, reason: why };
    await writeFile(`${path}.json`, `${JSON.stringify(said, undefined, 2)}\n`);
    this.held.bytes += kept ? size : 0;
    this.held.entries++;
    if (this.held.bytes > this.maxBytes || this.held.entries > maxQuarantineEntries) await this.prune();
  }

  /** A part of it, as a full disk leaves, helps nobody. */
  private async placeWhole(path: string, place: (path: string) => Promise<void>): Promise<void> {
    try {
      await place(path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Names sort as they come; the process's own number keeps those of one moment apart. */
  private nameAt(time: Date): string {
    const stamp = time.toISOString().replaceAll(/[-:]/g, "");
    return `${stamp}-${process.pid}-${String(++this.count).padStart(6, "0")}`;
  }

  /** Deletes the oldest until the rest is well within bounds; the last entry stays in any case. */
  private async prune(): Promise<void> {
    const held = { bytes: 0, entries: 0 };
    let full = false;
    for (const { files, bytes } of await this.entries()) {
      full ||= held.bytes + bytes > this.maxBytes * keptShare || held.entries >= maxQuarantineEntries * keptShare;
      if (full && held.entries > 0) {
        for (const file of files) await rm(file, { force: true });
        continue;
      }
      held.bytes += bytes;
      held.entries++;
    }
    this.held = held;
  }

  private async measure(): Promise<{ bytes: number; entries: number }> {
    const entries = await this.entries();
    return { bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0), entries: entries.length };
  }

  /** What is here, the newest first. What somebody else put here, and is no file, is not counted. */
  private async entries(): Promise<{ readonly files: string[]; readonly bytes: number }[]> {
    const entries = new Map<string, { files: string[]; bytes: number }>();
    for (const name of (await readdir(this.directory)).sort().reverse()) {
      const path = join(this.directory, name);
      const found = await stat(path).catch(() => undefined);
      if (!found?.isFile()) continue;
      const key = name.slice(0, name.lastIndexOf("."));
      const entry = entries.get(key) ?? { files: [], bytes: 0 };
      entry.files.push(path);
      if (!name.endsWith(".json")) entry.bytes += found.size;
      entries.set(key, entry);
    }
    return [...entries.values()];
  }
}
