import { rename, unlink } from "node:fs/promises";
import type { Digest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { fileRoom, recordBytes } from "./blob-room.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";
import { directCreate } from "./direct-io.ts";
import { checkOpen, type DiskContext } from "./disk-context.ts";
import { closeFile, openFile, syncData, syncDirectory } from "./file-io.ts";
import { FilePaths } from "./file-paths.ts";
import { FileRecovery } from "./file-recovery.ts";
import { present, type RecordKind, removed } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";
import { PieceWriter } from "./piece-writer.ts";
import { type Sharing, shareBytes, verifyAndSync } from "./shared-bytes.ts";
import { SharedRun } from "./shared-run.ts";
import { onDisk } from "./space.ts";
import { StagedFile } from "./staged-file.ts";

/**
 * A blob of this size goes past the page cache: one image of a system would drive a thousand smaller blobs out of it, and whoever waits
 * for the sync of those would wait for the image's bytes, too. Smaller ones stay there for whoever pulls what was just pushed.
 */
const directBytes = 4 << 20;

/** Large pieces that may be out when an upload begins that is to have them: those of some eight others. */
const maxLargePieces = 16;

/** Files that are moved or deleted at the same time: as many as the thread pool does at once, and more would keep others waiting. */
const filesAtATime = 4;

/** A journal may be this long, in bytes, beside what twice its blobs take; what is longer is written anew at the next removal. */
const journalSlack = 1 << 20;

/** A blob in a file of its own. No other file of its function has its serial number. */
export interface BlobFile {
  readonly digest: Digest;
  readonly serial: number;
}

/** A file in `incoming` that is to become a blob. */
export interface ArrivingFile extends BlobFile {
  /** Its name in `incoming` is on the disk, where the store is durable. */
  readonly named: Promise<void>;
}

/** A file that is being written. */
export interface NewFile extends ArrivingFile {
  /** Where it is meanwhile. */
  readonly path: string;
  readonly pieces: PieceWriter;
}

/**
 * The large blobs of one function, a file each. The journal, an index file, says which there are. A file lies in `incoming` until the
 * journal lists it durably, and again from the moment it is to be removed; so a start finds there, and only there, what a crash
 * left: it moves what is listed to its place and deletes the rest.
 */
export class BlobFiles {
  private readonly paths: FilePaths;
  private readonly journal: IndexLog;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private readonly naming: SharedRun;
  /** What is on its way into the journal, by serial number; without durability it is acknowledged already. */
  private readonly settling = new Map<number, Promise<void>>();
  /** When what is on its way in or out was used, by serial number: a journal that is written anew meanwhile keeps listing it. */
  private readonly moving = new Map<number, number>();
  /** Serial numbers that the journal may list although they are not published. */
  private readonly doubtful = new Set<number>();
  /** Files that are blobs. */
  private count = 0;
  /** Bytes that the space has counted for them, and for the journal. */
  private fileBytes = 0;
  private journalBytes = 0;
  private highest = 0;

  constructor(directory: string, index: DigestIndex, context: DiskContext) {
    this.paths = new FilePaths(directory);
    this.journal = new IndexLog(this.paths.journal, index.function, context.faults);
    this.index = index;
    this.context = context;
    this.naming = new SharedRun(() => syncDirectory(this.paths.incoming));
  }

  /** Finds what there is. */
  async load(): Promise<void> {
    const recovery = new FileRecovery(this.paths, this.journal, this.index, this.context);
    await recovery.run();
    this.highest = recovery.highest;
    this.count = recovery.count;
    this.fileBytes = recovery.bytes;
    this.journalBytes = this.journal.length;
    this.context.space.add(this.fileBytes + this.journalBytes);
    this.journal.hold();
  }

  /** Bytes that the blobs take on the disk, with their journal. */
  get bytes(): number {
    return this.fileBytes + this.journalBytes;
  }

  /** Begins a file, which is to be written and then handed to `publish` or `drop`. Errors: `exhausted`. */
  async create(digest: Digest): Promise<NewFile> {
    const { context, paths } = this;
    checkOpen(context);
    const file = { digest, serial: ++this.highest };
    const waiting = context.space.take(this.room(digest.size));
    if (waiting !== undefined) await waiting;
    try {
      await context.directories.ensure(paths.incoming);
      await context.directories.ensure(paths.shelf(file));
      const pieces = await this.openPieces(file, context.direct && digest.size >= directBytes);
      return { ...file, path: paths.arriving(file), pieces, named: this.syncNames() };
    } catch (error) {
      context.space.giveBack(this.room(digest.size));
      throw fromFileSystem(error, "cannot begin a file");
    }
  }

  /** Begins a file whose length and digest nobody knows yet: hardly ever a small one. Errors: `exhausted`. */
  async stage(): Promise<StagedFile> {
    const { context, paths, index } = this;
    checkOpen(context);
    const hash = "0".repeat(index.function.hexLength);
    const nameless = { digest: { function: index.function, hash, size: 0 }, serial: ++this.highest };
    try {
      await context.directories.ensure(paths.incoming);
      const pieces = await this.openPieces(nameless, context.direct);
      const room = (size: number): number => this.room(size);
      const syncNames = (): Promise<void> => this.syncNames();
      return new StagedFile({ nameless, pieces, paths, space: context.space, room, syncNames });
    } catch (error) {
      throw fromFileSystem(error, "cannot begin a file");
    }
  }

  /** Makes of a staged file one that is to be handed to `publish` or `drop`. */
  async name(staged: StagedFile, digest: Digest): Promise<NewFile> {
    checkOpen(this.context);
    await this.context.directories.ensure(this.paths.shelf({ digest, serial: 0 }));
    return staged.name(digest);
  }

  /**
   * Makes a file of the bytes that another one has, without a copy, and verifies and syncs what is now ours; it is to be handed to
   * `publish` or `drop`. `undefined`, with nothing done, where the file system cannot. A crash leaves what `create` leaves, a file that is not listed:
   * deleted, which the other one does not notice. Errors: `invalid` where the bytes are not the digest's, `exhausted`.
   */
  async share(digest: Digest, source: string, sharing: Sharing): Promise<ArrivingFile | undefined> {
    const { context, paths } = this;
    checkOpen(context);
    const file = { digest, serial: ++this.highest };
    const path = paths.arriving(file);
    await context.space.takeShared(this.room(digest.size));
    let shared = false;
    try {
      await context.directories.ensure(paths.incoming);
      await context.directories.ensure(paths.shelf(file));
      shared = await shareBytes(source, path, sharing);
      if (shared) {
        context.faults.reach("file shared");
        await verifyAndSync(path, digest, context.largePieces);
        return { ...file, named: this.syncNames() };
      }
    } catch (error) {
      if (shared) await unlink(path).catch(() => {}); // else the next start does it
      context.space.giveBack(this.room(digest.size));
      throw fromFileSystem(error, `cannot share ${source}`);
    }
    context.space.giveBack(this.room(digest.size));
    return undefined;
  }

  /**
   * Makes a blob of a file whose bytes are complete, verified and synced, in this order: its name, its record in the journal, its place.
   * A crash before the record is durable leaves a file in `incoming` that is not listed: deleted. One after it leaves a listed
   * file there: moved to its place. Without durability the blob is there at once, and the same steps follow.
   */
  async publish(file: ArrivingFile): Promise<void> {
    checkOpen(this.context);
    const { durable } = this.context;
    if (!durable) this.insert(file);
    const settling = this.settle(file).finally(() => this.settling.delete(file.serial));
    this.settling.set(file.serial, settling);
    if (durable) await settling;
    else settling.catch((error) => this.lose(file, error));
  }

  /** Forgets a file that is not published. Where the journal may list it all the same, it stays for the next start to decide. */
  async drop(file: BlobFile): Promise<void> {
    if (this.doubtful.delete(file.serial)) return;
    await unlink(this.paths.arriving(file)).catch(() => {}); // else the next start does it
    this.context.space.giveBack(this.room(file.digest.size));
  }

  /** A descriptor to read from, for the caller to close; `undefined` where the file is gone. */
  async open(file: BlobFile): Promise<number | undefined> {
    for (const path of [this.paths.settled(file), this.paths.arriving(file), this.paths.settled(file)]) {
      const fd = await openFile(path, "r").catch(ignoreAbsence); // without durability it may be on its way from one to the other
      if (fd !== undefined) return fd;
    }
    return undefined;
  }

  /** Whether the file of a blob that the index still has is nowhere: not in its place, nor on its way there. */
  async isGone(file: BlobFile): Promise<boolean> {
    if (this.settling.has(file.serial)) return false;
    const fd = await this.open(file);
    if (fd !== undefined) await closeFile(fd);
    return fd === undefined;
  }

  /**
   * Removes files that the index has no more; one sync is for all of them. A crash before the records are durable leaves listed files in
   * `incoming`: they are back. One after it leaves files there that are not listed: deleted. One that cannot be moved is not removed, which
   * the next start finds out; the rest is, and then the failure is thrown.
   */
  async remove(files: readonly BlobFile[]): Promise<void> {
    const { context, paths } = this;
    const moved: BlobFile[] = [];
    const moving = inParallel(files, filesAtATime, async (file) => {
      await this.settling.get(file.serial)?.catch(() => {});
      this.moving.set(file.serial, context.now());
      await rename(paths.settled(file), paths.arriving(file)).catch(ignoreAbsence);
      this.note(removed, file);
      this.countJournal(recordBytes(this.index.function));
      this.count--;
      moved.push(file);
    });
    try {
      const failed = await moving.then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      await this.journal.commit();
      context.faults.reach("removal journaled");
      await inParallel(moved, filesAtATime, async (file) => {
        await unlink(paths.arriving(file)).catch(ignoreAbsence);
        this.fileBytes -= onDisk(file.digest.size);
        context.space.giveBack(onDisk(file.digest.size));
      });
      if (failed !== undefined) throw failed.error;
    } finally {
      for (const { serial } of files) this.moving.delete(serial);
    }
    const { function: fn } = this.index;
    if (this.journal.length > 2 * this.count * recordBytes(fn) + journalSlack) await this.saveUse();
  }

  /** Writes the journal anew, with the last use of the blobs, and without those that were removed. */
  async saveUse(): Promise<void> {
    const { journal, index } = this;
    const { words } = index.function;
    let moving: ReadonlyMap<number, number> | undefined;
    await journal.rewrite((records, at) => {
      moving ??= new Map(this.moving); // what ends its way in the midst of this must not have one of its two records left out
      const serial = records[at + words] as number;
      return index.usedAt(records, at, inFile, serial) ?? moving.get(serial);
    });
    this.countJournal(journal.length + journal.waiting * recordBytes(index.function) - this.journalBytes);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.settling.values());
    if (this.journal.waiting > 0) await this.journal.commit();
    await this.journal.close();
  }

  private countJournal(bytes: number): void {
    this.journalBytes += bytes;
    this.context.space.add(bytes);
  }

  /** Settles once the names in `incoming` are on the disk; without durability `settle` sees to that. */
  private syncNames(): Promise<void> {
    if (!this.context.durable) return Promise.resolve();
    const named = this.naming.ask();
    named.catch(() => {}); // publish tells of it
    return named;
  }

  private async settle(file: ArrivingFile): Promise<void> {
    const { context, paths } = this;
    try {
      await file.named;
      if (!context.durable) {
        await syncFile(paths.arriving(file)); // not even now is anything listed that may be lost
        await this.naming.ask();
      }
      context.faults.reach("file synced");
      this.moving.set(file.serial, this.context.now());
      this.note(present, file);
      await this.journal.commit();
      context.faults.reach("file journaled");
      await rename(paths.arriving(file), paths.settled(file));
      context.faults.reach("file moved");
      if (context.durable) this.insert(file);
    } catch (error) {
      if (this.moving.has(file.serial)) await this.revoke(file);
      throw fromFileSystem(error, "cannot publish a file");
    } finally {
      this.moving.delete(file.serial);
    }
  }

  /** Takes a record back that may or may not be in the journal: before the file goes, or a crash would leave it listed and nowhere. */
  private async revoke(file: BlobFile): Promise<void> {
    this.note(removed, file);
    await this.journal.commit().catch((error) => {
      this.doubtful.add(file.serial);
      this.context.log.warn({ error, blob: file.digest.hash }, "the journal of large blobs cannot be written now");
    });
  }

  /** Takes back a blob that was acknowledged without durability. */
  private async lose(file: BlobFile, error: unknown): Promise<void> {
    this.context.log.error({ error, blob: file.digest.hash }, "a blob could not be kept");
    const entry = this.index.find(DigestList.of(file.digest).words, 0);
    const isThere = entry >= 0 && this.index.place(entry) === inFile && this.index.offset(entry) === file.serial;
    if (!isThere) return; // it is being removed, which counts it
    this.index.remove(entry);
    this.context.removals++;
    this.counted(file, -1);
    await this.drop(file);
  }

  private insert(file: BlobFile): void {
    const { digest, serial } = file;
    this.counted(file, 1);
    this.index.insert(DigestList.of(digest).words, 0, digest.size, inFile, serial, this.context.now());
  }

  /** Notes that the room that was taken for a file is that of a blob now, or no longer. */
  private counted({ digest }: BlobFile, sign: 1 | -1): void {
    this.count += sign;
    this.fileBytes += sign * onDisk(digest.size);
    this.journalBytes += sign * recordBytes(this.index.function);
  }

  private note(kind: RecordKind, { digest, serial }: BlobFile): void {
    const { words } = DigestList.of(digest);
    this.journal.add({ kind, words, word: 0, offset: serial, size: digest.size, used: this.context.now() });
  }

  private async openPieces(file: BlobFile, direct: boolean): Promise<PieceWriter> {
    const { largePieces, smallPieces, durable } = this.context;
    const pool = largePieces.out < maxLargePieces ? largePieces : smallPieces;
    const fd = await openFile(this.paths.arriving(file), direct ? directCreate : "wx");
    return new PieceWriter(fd, pool, { durable, direct });
  }

  private room(size: number): number {
    return fileRoom(this.index.function, size);
  }
}

async function syncFile(path: string): Promise<void> {
  const fd = await openFile(path, "r");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
