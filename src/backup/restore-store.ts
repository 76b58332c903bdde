import { existsSync, readdirSync } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { makeRoot } from "../store/disk/directories.ts";
import { lockDirectory, lockFile } from "../store/disk/directory-lock.ts";
import { syncDirectory } from "../store/disk/file-io.ts";
import { stamp } from "../store/disk/format-stamp.ts";
import { newPath } from "../store/disk/index-rewrite.ts";
import { checkRefs } from "../store/sqlite/copy-refs.ts";
import type { BackupProgress } from "./backup-progress.ts";
import { FileCopier } from "./copy-file.ts";
import { copyJournal } from "./copy-journal.ts";
import { type Manifest, manifestFile, readManifest } from "./manifest.ts";
import { Pace } from "./pace.ts";
import { filesIn, indexOf, journalOf, refsFile, type ShelfPlace, shelvesIn } from "./store-layout.ts";
import { verifyFile, verifyPack } from "./verify-shelf.ts";

export interface RestoreOptions {
  readonly backup: string;
  readonly store: string;
  /** Whether what index files list is taken for what it should be. */
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly progress: BackupProgress;
  /** Is told of each file that was copied, in tests. */
  readonly reached?: () => MaybePromise<void>;
}

export interface Restored {
  readonly backup: string;
  readonly store: string;
  /** When the backup's refs were read, ISO 8601. */
  readonly time: string;
  readonly refs: number;
  readonly blobs: number;
  /** Of packs and large blobs. */
  readonly bytes: number;
  readonly verified: boolean;
  /** What is not as it was stored, and was left out: the first of it, and how much it is. */
  readonly damaged: readonly string[];
  readonly damagedBlobs: number;
}

/** Says of a directory that a restore has begun in it. With it there is no stamp, so that no server takes it for a store. */
const restoring = "restoring";

/** Damaged blobs that are named. */
const maxNamed = 20;

/**
 * Makes a store of a backup, in an absent or empty directory, or one in which a restore was interrupted. Every blob is compared with its hash as it was written;
 * what is damaged is left out, so that clients bring it again. A crash leaves what is no store; the next run begins anew, but for the large blobs
 * that are there. Errors: `failed-precondition` for what is no whole backup or no empty directory, `corrupt` where the refs are damaged, `exhausted`.
 */
export async function restoreStore(options: RestoreOptions): Promise<Restored> {
  const [backup, store] = [resolve(options.backup), resolve(options.store)];
  const manifest = await wholeBackup(backup);
  await makeRoot(store);
  checkEmpty(store);
  const lock = lockDirectory(store);
  try {
    checkEmpty(store);
    return await new Restore({ ...options, backup, store }, manifest).run();
  } finally {
    lock.release();
  }
}

class Restore {
  private readonly options: RestoreOptions;
  private readonly manifest: Manifest;
  private readonly copier: FileCopier;
  private readonly damaged: string[] = [];
  private damagedBlobs = 0;
  private blobs = 0;

  constructor(options: RestoreOptions, manifest: Manifest) {
    const { store, signal, progress } = options;
    this.options = options;
    this.manifest = manifest;
    this.copier = new FileCopier(store, new Pace(Number.POSITIVE_INFINITY, signal), (bytes) => {
      progress.bytes += bytes;
    });
  }

  async run(): Promise<Restored> {
    const { backup, store, quick, progress } = this.options;
    await writeFile(join(store, restoring), `${backup}\n`);
    await syncDirectory(store);
    progress.phase = "copying";
    progress.bytesToCopy = this.manifest.bytes;
    await this.copy(refsFile);
    for (const place of shelvesIn(backup)) await this.copyShelf(place);
    await this.copier.finish();
    progress.phase = "verifying";
    const refs = checkRefs(join(store, refsFile), quick);
    for (const place of shelvesIn(store)) await this.finishShelf(place);
    await this.copier.finish();
    await stamp(store);
    await rm(join(store, restoring));
    await syncDirectory(store);
    const { time, bytes } = this.manifest;
    const { blobs, damaged, damagedBlobs } = this;
    return { backup, store, time, refs, blobs, bytes, verified: !quick, damaged, damagedBlobs };
  }

  private async copyShelf(place: ShelfPlace): Promise<void> {
    const { backup, store, progress } = this.options;
    for (const pack of this.packsOf(place)) {
      await this.copy(pack);
      if (existsSync(join(backup, indexOf(pack)))) await this.copy(indexOf(pack));
    }
    for (const paths of filesIn(backup, place)) {
      for (const path of paths) {
        const there = await stat(join(store, path)).catch(() => undefined);
        if (there === undefined) await this.copy(path);
        else progress.bytes += there.size;
      }
    }
  }

  /** Verifies a shelf of the store, and writes the journal of what is good. */
  private async finishShelf(place: ShelfPlace): Promise<void> {
    const { store, backup, quick, signal, progress } = this.options;
    const { function: fn } = place;
    for (const pack of this.packsOf(place)) {
      signal.throwIfAborted();
      const [path, index] = [join(store, pack), join(store, indexOf(pack))];
      const { blobs, damaged } = await verifyPack(path, index, fn, quick);
      this.blobs += blobs;
      progress.verified += (await stat(path)).size;
      for (const offset of damaged) this.note(`${pack}, at ${offset}`);
      // The server makes one of what verifies; what does not is missing then.
      if (damaged.length > 0) await rm(index, { force: true });
    }
    const good = new Set<string>();
    const count = (bytes: number): void => {
      progress.verified += bytes;
    };
    for (const paths of filesIn(store, place)) {
      for (const path of paths) {
        const whole = quick || (await verifyFile(join(store, path), fn, signal, count));
        if (whole) good.add(path);
        else {
          this.note(path);
          await rm(join(store, path));
        }
      }
    }
    this.blobs += good.size;
    const journal = journalOf(place);
    if (good.size === 0) return;
    const own = { root: store, function: fn, paths: good };
    await copyJournal(join(backup, journal), join(store, journal), own, Math.floor(Date.now() / 1000));
    await rename(join(store, newPath(journal)), join(store, journal));
    await syncDirectory(join(store, place.path));
  }

  private async copy(path: string): Promise<void> {
    await this.copier.copy(join(this.options.backup, path), path);
    await this.options.reached?.();
  }

  private packsOf(place: ShelfPlace): string[] {
    return Object.keys(this.manifest.packs).filter((path) => path === join(place.path, "packs", basename(path)));
  }

  private note(what: string): void {
    if (this.damaged.length < maxNamed) this.damaged.push(what);
    this.damagedBlobs++;
  }
}

async function wholeBackup(directory: string): Promise<Manifest> {
  const manifest = existsSync(join(directory, manifestFile)) ? await readManifest(directory) : undefined;
  if (manifest === undefined) {
    throw new StillageError("failed-precondition", `${directory} is not a backup`, {
      hint: "name the directory that `stillage store backup` was given",
    });
  }
  if (manifest.complete) return manifest;
  throw new StillageError("failed-precondition", `${directory} is a backup that was not made to its end`, {
    hint: "run `stillage store backup` again, or restore another one",
  });
}

/** What may lie in a directory that becomes a store. */
const harmless = new Set(["lost+found", lockFile]);

function checkEmpty(store: string): void {
  if (existsSync(join(store, restoring))) return;
  const foreign = readdirSync(store).find((name) => !harmless.has(name));
  if (foreign === undefined) return;
  throw new StillageError("failed-precondition", `${store} is not empty: it has ${JSON.stringify(foreign)}`, {
    hint: "name an empty directory, or one that does not exist",
  });
}
