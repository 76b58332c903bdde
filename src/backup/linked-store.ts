import { existsSync } from "node:fs";
import { link, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import { parseName } from "../store/disk/file-paths.ts";
import { filesIn, indexOf, packsIn, type ShelfPlace, shelvesIn } from "./store-layout.ts";

/** What file systems say that have no hard links, or not for this user. */
const unable = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK", "EACCES"]);

/** Files that are linked at a time. */
const linksAtATime = 16;

/** What of a shelf is to be in a backup, by paths as seen from the store's directory. */
export interface LinkedShelf {
  readonly place: ShelfPlace;
  /** Of each, how long its index file was when it was linked, in bytes: what follows may list removals of what the refs need. 0 where there was none. */
  readonly packs: Map<string, number>;
  readonly files: Set<string>;
}

/**
 * A store's packs, index files and large blobs under other names, which nobody takes away while they are copied. What lay in the store during the whole of
 * a `link`, wherever a compaction moved it, is in it.
 */
export class LinkedStore {
  private readonly store: string;
  private readonly links: string;
  private readonly isThere: (path: string) => boolean;
  private readonly signal: AbortSignal;
  private readonly made = new Set<string>();
  readonly shelves = new Map<string, LinkedShelf>();

  /** `links` is an empty directory in the same file system; files that are `isThere` in the backup already need no link. */
  constructor(store: string, links: string, isThere: (path: string) => boolean, signal: AbortSignal) {
    this.store = store;
    this.links = links;
    this.isThere = isThere;
    this.signal = signal;
  }

  /** Links what is there and has no link yet. Errors: `failed-precondition` where the file system does not, and the signal's reason. */
  async link(): Promise<void> {
    for (const place of shelvesIn(this.store)) {
      let shelf = this.shelves.get(place.path);
      if (shelf === undefined) {
        shelf = { place, packs: new Map(), files: new Set() };
        this.shelves.set(place.path, shelf);
      }
      // A listing may show neither the pack that something is moved from, nor the one that it is moved to: the next one does.
      while (await this.linkPacks(shelf));
      await this.linkFiles(shelf);
    }
  }

  /** Leaves out all but the last file of each large blob: one may have come while the other was on its way out. */
  dropDoubles(): void {
    for (const { place, files } of this.shelves.values()) {
      const last = new Map<string, { serial: number; path: string }>();
      for (const path of files) {
        const name = parseName(basename(path), place.function.hexLength);
        if (name === undefined) continue;
        const other = last.get(name.hash);
        if (other !== undefined) files.delete(other.serial < name.serial ? other.path : path);
        if (other === undefined || other.serial < name.serial) last.set(name.hash, { serial: name.serial, path });
      }
    }
  }

  /** Where to read a file from: its link, which leads to all that was appended to it since. */
  path(path: string): string {
    return join(this.links, path);
  }

  /** Whether there was a pack without a link. */
  private async linkPacks({ place, packs }: LinkedShelf): Promise<boolean> {
    let found = false;
    for (const pack of packsIn(this.store, place)) {
      if (packs.has(pack) && !(await this.isReplaced(pack))) continue;
      found = true;
      packs.delete(pack);
      // The index file first: where it is there and the pack is not, the pack has just gone.
      const index = indexOf(pack);
      const indexed = (await this.linkOne(index)) ? (await stat(this.path(index))).size : 0;
      if (await this.linkOne(pack)) packs.set(pack, indexed);
    }
    return found;
  }

  private async linkFiles({ place, files }: LinkedShelf): Promise<void> {
    for (const paths of filesIn(this.store, place)) {
      this.signal.throwIfAborted();
      const fresh = paths.filter((path) => !files.has(path));
      for (let at = 0; at < fresh.length; at += linksAtATime) {
        const some = fresh.slice(at, at + linksAtATime);
        const linked = await Promise.all(some.map(async (path) => this.isThere(path) || (await this.linkOne(path))));
        for (const [i, path] of some.entries()) if (linked[i]) files.add(path);
      }
    }
  }

  /** False where the file is gone. */
  private async linkOne(path: string): Promise<boolean> {
    this.signal.throwIfAborted();
    const target = join(this.links, path);
    try {
      const folder = dirname(target);
      if (!this.made.has(folder)) await makeFolder(folder);
      this.made.add(folder);
      await link(join(this.store, path), target);
      return true;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") return this.linkAnew(path);
      if (code === "ENOENT" && existsSync(dirname(target))) return false;
      if (!unable.has(code)) throw fromFileSystem(error, `cannot link ${path}`);
      throw new StillageError("failed-precondition", `cannot give ${join(this.store, path)} a second name (${code})`, {
        cause: error,
        hint: "a backup is made by the user that the server runs as, on a file system with hard links; elsewhere, stop the server and copy the directory",
      });
    }
  }

  /** Where a name has a link: of the same file, or of one that has gone, and whose name a server that was started since has given again. */
  private async linkAnew(path: string): Promise<boolean> {
    if (await this.isReplaced(path)) {
      await rm(this.path(path), { force: true });
      return this.linkOne(path);
    }
    return existsSync(join(this.store, path));
  }

  /** Whether the store has another file of this name than the one that is linked. */
  private async isReplaced(path: string): Promise<boolean> {
    const now = await stat(join(this.store, path)).catch(absent);
    return now !== undefined && now.ino !== (await stat(this.path(path))).ino;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
