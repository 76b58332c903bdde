import { existsSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { openBackupLinks } from "../store/disk/backup-links.ts";
import { makeRoot } from "../store/disk/directories.ts";
import { isInUse, lockDirectory } from "../store/disk/directory-lock.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../store/disk/file-io.ts";
import { newPath } from "../store/disk/index-rewrite.ts";
import { packHeaderLength } from "../store/disk/pack.ts";
import { checkReadable } from "../store/disk/read-only-store.ts";
import { copyRefs, dropGone } from "../store/sqlite/copy-refs.ts";
import { checkApart, realPath } from "./apart.ts";
import type { BackupProgress } from "./backup-progress.ts";
import { FileCopier } from "./copy-file.ts";
import { cutIndex } from "./copy-index.ts";
import { copyJournal } from "./copy-journal.ts";
import { LinkedStore } from "./linked-store.ts";
import { type CopiedPack, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { Pace } from "./pace.ts";
import {
  filesIn,
  indexOf,
  journalOf,
  packsIn,
  partEnding,
  partsIn,
  refsFile,
  type ShelfPlace,
  shelvesIn,
} from "./store-layout.ts";

export interface BackupOptions {
  readonly store: string;
  readonly target: string;
  /** Whether a backup of another store may be replaced. */
  readonly replace?: boolean;
  /** Infinite for as fast as it goes. */
  readonly bytesPerSecond: number;
  readonly signal: AbortSignal;
  readonly progress: BackupProgress;
  /** Is told of each step, in tests. */
  readonly reached?: (step: BackupStep) => MaybePromise<void>;
}

export type BackupStep =
  | "linked"
  | "refs read"
  | "refs copied"
  | "file copied"
  | "packs copied"
  | "replacing"
  | "replaced";

export interface BackedUp {
  readonly store: string;
  readonly backup: string;
  /** When the refs were read, ISO 8601. */
  readonly time: string;
  readonly refs: number;
  /** Refs that went while the backup was made, and are not in it. */
  readonly gone: number;
  readonly packs: number;
  /** Large blobs. */
  readonly files: number;
  /** Of packs and large blobs. */
  readonly bytes: number;
  /** Those of them that were not in the backup before, or only behind what an index file covers. */
  readonly copied: number;
}

/** Bytes after which is put down how far packs were copied: an interrupted run need not copy these again. */
const noteEveryBytes = 4 << 30;

/**
 * Makes a copy of a store, whose server may be running, or brings one up to date. Why it is whole: the refs are read once all blobs have links that nobody
 * takes away, and blobs that came in between get theirs before anything is copied; what a ref needs is kept as long as the ref is there.
 * Until all is copied, new packs, more bytes behind the old ones in packs, and new files are all that changes in the target, which are nothing to an older
 * backup. Then its index files and refs are replaced, which is the only time in which a crash leaves no whole backup; the next run makes one.
 * What is removed after the links were made counts as there: index files are copied as they were then, and journals without removals.
 * Errors: `failed-precondition`, `exhausted` and others of the file system, the signal's reason.
 */
export async function backupStore(options: BackupOptions): Promise<BackedUp> {
  const store = realPath(checkReadable(options.store));
  const target = realPath(options.target);
  checkApart(store, target);
  await makeRoot(target);
  await readManifest(target); // or a lock would be made in a directory of anything else
  const lock = lockTarget(target);
  try {
    const before = await readManifest(target);
    if (options.replace !== true) checkSame(before, store, target);
    const links = await openBackupLinks(store);
    try {
      return await new Backup({ ...options, store, target }, before, links.path).run();
    } finally {
      await links.close();
    }
  } finally {
    lock.release();
  }
}

class Backup {
  private readonly options: BackupOptions;
  private readonly linked: LinkedStore;
  private readonly copier: FileCopier;
  private readonly packs: Record<string, CopiedPack>;
  private manifest: Omit<Manifest, "version">;
  /** What is to be renamed when everything is there: from, to. */
  private readonly pending: (readonly [from: string, to: string])[] = [];
  /** Index files and journals that are to go then. */
  private readonly outdated: string[] = [];
  /** How many bytes had been copied when the manifest was written last. */
  private noted = 0;

  constructor(options: BackupOptions, before: Manifest | undefined, links: string) {
    const { store, target, bytesPerSecond, signal, progress } = options;
    this.options = options;
    this.linked = new LinkedStore(store, links, (path) => existsSync(join(target, path)), signal);
    this.copier = new FileCopier(target, new Pace(bytesPerSecond, signal), (bytes) => {
      progress.bytes += bytes;
    });
    this.packs = { ...before?.packs };
    this.manifest = before ?? { complete: false, store, time: "", refs: 0, files: 0, bytes: 0, packs: {} };
  }

  async run(): Promise<BackedUp> {
    const { store, target, signal, progress } = this.options;
    const newRefs = join(target, refsFile + partEnding);
    const refs = join(store, refsFile);
    // Before anything else: what begins here is a backup, if it is never ended.
    if (!this.manifest.complete) await this.note(false);
    progress.phase = "linking";
    await this.linked.link();
    await this.reached("linked");
    progress.phase = "copying refs";
    const time = new Date().toISOString();
    await copyRefs(refs, newRefs, signal, (share) => {
      progress.share = share;
    });
    await this.reached("refs read");
    await this.linked.link();
    this.linked.dropDoubles();
    const { refs: count, dropped } = await dropGone(newRefs, refs, signal);
    this.pending.push([newRefs, join(target, refsFile)]);
    await this.reached("refs copied");

    progress.phase = "copying";
    const { packs, files, bytes } = await this.measure();
    for (const { place, packs, files } of this.linked.shelves.values()) {
      for (const [pack, indexBytes] of packs) await this.copyPack(place, pack, indexBytes);
      for (const file of files) await this.copyFile(file);
      await this.copyJournal(place, files);
    }
    await this.copier.finish();
    await this.reached("packs copied");
    signal.throwIfAborted();
    this.manifest = { ...this.manifest, store, time, refs: count, files, bytes };
    await this.replace();
    await this.clean();
    return { store, backup: target, time, refs: count, gone: dropped, packs, files, bytes, copied: progress.bytes };
  }

  /** Counts what there is, and tells the progress how much of it is new. */
  private async measure(): Promise<{ packs: number; files: number; bytes: number }> {
    const { target, progress } = this.options;
    const sum = { packs: 0, files: 0, bytes: 0 };
    for (const { packs, files } of this.linked.shelves.values()) {
      for (const path of packs.keys()) {
        const { size, source } = await identify(this.linked.path(path));
        const known = this.packs[path];
        sum.packs++;
        sum.bytes += size;
        progress.bytesToCopy += known?.source === source ? size - known.length : size;
      }
      for (const path of files) {
        const there = await stat(join(target, path)).catch(() => undefined);
        const { size } = there ?? (await stat(this.linked.path(path)));
        sum.files++;
        sum.bytes += size;
        if (there === undefined) progress.bytesToCopy += size;
      }
    }
    return sum;
  }

  private async copyPack({ function: fn }: ShelfPlace, path: string, indexBytes: number): Promise<void> {
    const { target, progress } = this.options;
    const source = this.linked.path(path);
    const index = indexOf(path);
    let covered = packHeaderLength;
    if (indexBytes > 0) {
      await this.copier.copy(this.linked.path(index), newPath(index), false);
      covered = await cutIndex(join(target, newPath(index)), indexBytes, fn);
      this.pending.push([join(target, newPath(index)), join(target, index)]);
    } else this.outdated.push(index);
    const { size, source: identity } = await identify(source);
    const known = this.packs[path];
    const there = known && (await stat(join(target, path)).catch(() => undefined));
    // Only what an index file covers stays where it is: of the rest, a start of the server may cut off what is torn, and others are written there.
    const settled = (length: number): number => Math.min(Math.max(covered, known?.length ?? 0), length);
    if (there && known.source === identity && known.length <= Math.min(there.size, size)) {
      if (known.length === size && there.size === size) return;
      const length = await this.copier.extend(source, path, known.length);
      this.packs[path] = { source: identity, length: settled(length) };
    } else {
      // Another pack of the same name: what the backup has does not fit together until all of it is new.
      if (there) await this.note(false);
      delete this.packs[path];
      const length = await this.copier.copy(source, path);
      this.packs[path] = { source: identity, length: Math.min(covered, length) };
    }
    await this.reached("file copied");
    if (progress.bytes - this.noted < noteEveryBytes) return;
    await this.copier.finish();
    await this.note(this.manifest.complete);
  }

  private async copyFile(path: string): Promise<void> {
    if (existsSync(join(this.options.target, path))) return;
    await this.copier.copy(this.linked.path(path), path);
    await this.reached("file copied");
  }

  private async copyJournal(place: ShelfPlace, files: ReadonlySet<string>): Promise<void> {
    const { store, target } = this.options;
    const journal = journalOf(place);
    if (files.size === 0) {
      this.outdated.push(journal);
      return;
    }
    const own = { root: target, function: place.function, paths: files };
    await copyJournal(join(store, journal), join(target, journal), own, Math.floor(Date.now() / 1000));
    this.pending.push([join(target, newPath(journal)), join(target, journal)]);
  }

  /** Replaces what leads to the blobs, all of which are there. A crash leaves what is said to be incomplete. */
  private async replace(): Promise<void> {
    const { target } = this.options;
    await syncFile(join(target, refsFile + partEnding));
    await this.note(false);
    await this.reached("replacing");
    const folders = new Set([target]);
    for (const path of this.outdated) await rm(join(target, path), { force: true });
    for (const [from, to] of this.pending) {
      await rename(from, to);
      folders.add(dirname(to));
    }
    for (const folder of folders) await syncDirectory(folder);
    for (const path of Object.keys(this.packs)) if (!this.has(path)) delete this.packs[path];
    await this.note(true);
    await this.reached("replaced");
  }

  /** Deletes what is no longer in the store. A crash leaves some of it, which nothing leads to, to the next run. */
  private async clean(): Promise<void> {
    const { target } = this.options;
    for (const place of shelvesIn(target)) {
      const { files } = this.linked.shelves.get(place.path) ?? {};
      for (const pack of packsIn(target, place)) {
        if (this.has(pack)) continue;
        await rm(join(target, indexOf(pack)), { force: true });
        await rm(join(target, pack), { force: true });
      }
      for (const paths of filesIn(target, place)) {
        for (const path of paths) if (!files?.has(path)) await rm(join(target, path), { force: true });
      }
      for (const path of partsIn(target, place)) await rm(join(target, path), { force: true });
    }
  }

  /** Whether a pack is in the store. */
  private has(pack: string): boolean {
    return this.linked.shelves.get(dirname(dirname(pack)))?.packs.has(pack) === true;
  }

  private async note(complete: boolean): Promise<void> {
    this.manifest = { ...this.manifest, complete, packs: { ...this.packs } };
    this.noted = this.options.progress.bytes;
    await writeManifest(this.options.target, this.manifest);
  }

  private async reached(step: BackupStep): Promise<void> {
    await this.options.reached?.(step);
  }
}

/** The size of a pack, and what tells it from a later one of the same name: no two files of a file system have the same number at the same time. */
async function identify(path: string): Promise<{ size: number; source: string }> {
  const { size, ino, birthtimeNs } = await stat(path, { bigint: true });
  return { size: Number(size), source: `${ino} ${birthtimeNs}` };
}

async function syncFile(path: string): Promise<void> {
  const fd = await openFile(path, "r");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}

function lockTarget(target: string): { release(): void } {
  try {
    return lockDirectory(target);
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new StillageError("failed-precondition", `another backup into ${target} is under way`, { cause: error });
  }
}

function checkSame(before: Manifest | undefined, store: string, target: string): void {
  if (before === undefined || before.store === store) return;
  throw new StillageError("failed-precondition", `${target} is a backup of ${before.store}, not of ${store}`, {
    hint: "name another directory; where it is the same store at another place, or that backup may go, add --replace",
  });
}
