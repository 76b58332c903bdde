import { existsSync, readdirSync, statSync } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import { makeRoot } from "../store/disk/directories.ts";
import { lockDirectory, lockFile } from "../store/disk/directory-lock.ts";
import { syncDirectory } from "../store/disk/file-io.ts";
import { currentStamp, stampFile } from "../store/disk/format-stamp.ts";
import { newPath } from "../store/disk/index-rewrite.ts";
import { numberIn } from "../store/disk/pack.ts";
import { checkRefs } from "../store/sqlite/copy-refs.ts";
import { migrateRefs } from "../store/sqlite/migrate-refs.ts";
import { checkApart, realPath } from "./apart.ts";
import type { BackupProgress } from "./backup-progress.ts";
import { FileCopier } from "./copy-file.ts";
import { copyJournal, journaledNames } from "./copy-journal.ts";
import { isDamage } from "./damage.ts";
import { type Manifest, manifestFile, readManifest } from "./manifest.ts";
import { Pace } from "./pace.ts";
import { filesIn, indexOf, journalOf, partEnding, refsFile, type ShelfPlace, shelvesIn } from "./store-layout.ts";
import { listedIn, type VerifiedPack, verifyFile, verifyPack } from "./verify-shelf.ts";

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

/** The stamp under another name, until all is there: no server takes the directory for a store before. */
const restoring = "restoring";

/** Damaged blobs that are named. */
const maxNamed = 20;

/**
 * Makes a store of a backup, in an absent or empty directory, or one in which a restore was interrupted. Every blob is compared with its hash as it was written;
 * what is damaged, or can be read no more, is left out, so that clients bring it again. A crash leaves what is no store; the next run begins anew.
 * Errors: `failed-precondition` for what is no whole backup, no empty directory, or another user's; `exhausted`; `corrupt` where the refs are damaged:
 * all else is there then, without a stamp, for fsck.
 */
export async function restoreStore(options: RestoreOptions): Promise<Restored> {
  const backup = resolve(options.backup);
  const manifest = await wholeBackup(backup);
  const store = realPath(options.store);
  checkApart(store, backup);
  checkOwner(store);
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
  /** What of the backup could be read. */
  private readonly copied = new Set<string>();
  private readonly lost = new Set<string>();

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
    await this.begin();
    progress.phase = "copying";
    progress.bytesToCopy = this.manifest.bytes;
    await this.copy(refsFile);
    for (const place of shelvesIn(backup)) await this.copyShelf(place);
    for (const pack of Object.keys(this.manifest.packs))
      if (!this.copied.has(pack) && !this.lost.has(pack)) this.noteLost(pack, 1);
    await this.copier.finish();
    progress.phase = "verifying";
    const refs = await this.refs(quick);
    for (const place of shelvesIn(backup)) await this.finishShelf(place);
    await this.copier.finish();
    if (refs instanceof StillageError) throw await this.withoutRefs(refs);
    await rename(join(store, restoring), join(store, stampFile));
    await syncDirectory(store);
    const { time, bytes } = this.manifest;
    const { blobs, damaged, damagedBlobs } = this;
    return { backup, store, time, refs, blobs, bytes, verified: !quick, damaged, damagedBlobs };
  }

  /** What a run that was killed has left goes: it may be of another backup. */
  private async begin(): Promise<void> {
    const { store } = this.options;
    await writeFile(join(store, restoring), currentStamp, { flush: true });
    for (const name of readdirSync(store)) {
      if (name !== restoring && isOwn(name)) await rm(join(store, name), { recursive: true });
    }
    await syncDirectory(store);
  }

  private async copyShelf(place: ShelfPlace): Promise<void> {
    const { backup } = this.options;
    for (const pack of this.packsOf(place)) {
      // Of a pack without its index file, all that is whole counts.
      if (await this.copy(pack)) await this.copy(indexOf(pack));
      else this.noteLost(pack, this.blobsIn(pack, place));
    }
    const listed = this.readable(() => journaledNames(join(backup, journalOf(place)), place.function)) ?? new Set();
    for (const paths of filesIn(backup, place)) {
      for (const path of paths) {
        listed.delete(basename(path));
        if (!(await this.copy(path))) this.noteLost(path, 1);
      }
    }
    for (const name of listed) this.noteLost(join(place.path, "files", name.slice(0, 2), name), 1);
  }

  /** Verifies a shelf of the store, and writes the journal of what is good. */
  private async finishShelf(place: ShelfPlace): Promise<void> {
    const { store, backup, quick, signal, progress } = this.options;
    const { function: fn } = place;
    for (const pack of this.packsOf(place)) {
      signal.throwIfAborted();
      if (!this.copied.has(pack)) continue;
      const [path, index] = [join(store, pack), join(store, indexOf(pack))];
      const { blobs, damaged } =
        (await verifyPack(path, index, fn, quick).catch(lost)) ?? (await this.drop(pack, place));
      this.blobs += blobs;
      progress.verified += (await stat(path).catch(lost))?.size ?? 0;
      for (const offset of damaged) this.note(`${pack}, at ${offset}`);
      // The server makes one of what verifies; what does not is missing then.
      if (damaged.length > 0) await this.copier.remove(indexOf(pack));
    }
    const good = new Set<string>();
    const count = (bytes: number): void => {
      progress.verified += bytes;
    };
    for (const paths of filesIn(store, place)) {
      for (const path of paths) {
        const whole = quick || (await verifyFile(join(store, path), fn, signal, count).catch(lost)) === true;
        if (whole) good.add(path);
        else {
          this.note(path);
          await this.copier.remove(path);
        }
      }
    }
    this.blobs += good.size;
    const journal = journalOf(place);
    if (good.size === 0) return;
    const own = { root: store, function: fn, paths: good };
    const now = Math.floor(Date.now() / 1000);
    await copyJournal(join(backup, journal), join(store, journal), own, now).catch(async (error) => {
      if (!isDamage(error)) throw error;
      await copyJournal(undefined, join(store, journal), own, now); // all that it has besides is when they were used
    });
    await rename(join(store, newPath(journal)), join(store, journal));
    await syncDirectory(join(store, place.path));
  }

  /** False where the backup has the file no more. */
  private async copy(path: string): Promise<boolean> {
    try {
      await this.copier.copy(join(this.options.backup, path), path);
    } catch (error) {
      if (error instanceof StillageError && error.code === "corrupt") return false;
      throw error;
    }
    this.copied.add(path);
    await this.options.reached?.();
    return true;
  }

  /** How many refs there are, brought to the present format, or why they cannot be used. */
  private async refs(quick: boolean): Promise<number | StillageError> {
    if (!this.copied.has(refsFile)) return new StillageError("corrupt", `${refsFile} of the backup cannot be read`);
    const file = join(this.options.store, refsFile);
    try {
      await migrateRefs(file, this.options.signal, () => {});
      return checkRefs(file, quick);
    } catch (error) {
      if (error instanceof StillageError && error.code === "corrupt") return error;
      throw error;
    }
  }

  /** Leaves what has all blobs that are whole, and is no store until fsck has made one of it. */
  private async withoutRefs(cause: StillageError): Promise<StillageError> {
    const { store } = this.options;
    await rm(join(store, restoring));
    await syncDirectory(store);
    return new StillageError("corrupt", `${cause.message}; all else is in ${store}`, {
      cause,
      hint: `\`stillage store fsck --repair --store ${store}\` makes a store of it, with those names that can be read`,
    });
  }

  /** Leaves out a pack whose copy cannot be read. */
  private async drop(pack: string, place: ShelfPlace): Promise<VerifiedPack> {
    this.noteLost(pack, this.blobsIn(pack, place));
    for (const path of [indexOf(pack), pack]) await this.copier.remove(path);
    return { blobs: 0, damaged: [] };
  }

  /** How many blobs a pack of the backup has, as far as that is known; at least one. */
  private blobsIn(pack: string, { function: fn }: ShelfPlace): number {
    return Math.max(1, this.readable(() => listedIn(join(this.options.backup, indexOf(pack)), fn)) ?? 1);
  }

  private readable<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      return lost(error);
    }
  }

  private packsOf(place: ShelfPlace): string[] {
    return Object.keys(this.manifest.packs).filter(
      (path) => path === join(place.path, "packs", basename(path)) && numberIn(basename(path))?.isPack,
    );
  }

  private note(what: string): void {
    if (this.damaged.length < maxNamed) this.damaged.push(what);
    this.damagedBlobs++;
  }

  private noteLost(path: string, blobs: number): void {
    this.lost.add(path);
    this.note(`${path}, which cannot be read`);
    this.damagedBlobs += blobs - 1;
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

/** What a restore makes, but for the stamp. */
function isOwn(name: string): boolean {
  const refs = [refsFile, refsFile + partEnding].some((own) => name === own || name.startsWith(`${own}-`));
  return refs || name === restoring || name === "tenants";
}

function checkEmpty(store: string): void {
  const begun = existsSync(join(store, restoring)) && !existsSync(join(store, stampFile));
  const foreign = readdirSync(store).find((name) => !harmless.has(name) && !(begun && isOwn(name)));
  if (foreign === undefined) return;
  throw new StillageError("failed-precondition", `${store} is not empty: it has ${JSON.stringify(foreign)}`, {
    hint: "name an empty directory, or one that does not exist",
  });
}

/** What another user's server is to write must be that user's. */
function checkOwner(store: string): void {
  const owner = statSync(store, { throwIfNoEntry: false })?.uid;
  if (owner === undefined || owner === process.geteuid?.()) return;
  throw new StillageError("failed-precondition", `${store} belongs to another user (${owner})`, {
    hint: "run the command as the user that the server runs as: `runuser --user NAME -- stillage store restore …`",
  });
}

function lost(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}
