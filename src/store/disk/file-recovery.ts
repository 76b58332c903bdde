import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { runningHash } from "../../base/hash.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import type { BlobFile } from "./blob-files.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { syncDirectory } from "./file-io.ts";
import { type FilePaths, parseName } from "./file-paths.ts";
import { FileWindow } from "./file-window.ts";
import { type IndexBlock, type IndexRecord, isPresent, present, recordWords, removed } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";
import { newPath } from "./index-rewrite.ts";
import { largePieceBytes } from "./piece-writer.ts";
import { onDisk } from "./space.ts";

/** Finds the large blobs of one function at start, and cleans up after a crash. */
export class FileRecovery {
  private readonly paths: FilePaths;
  private readonly journal: IndexLog;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  /** Listed blobs that a pack has, too, by their serial numbers. */
  private readonly doubles = new Map<number, IndexRecord>();
  /** The highest serial number in use. */
  highest = 0;
  /** Files that are blobs, and the bytes that they take on the disk. */
  count = 0;
  bytes = 0;

  constructor(paths: FilePaths, journal: IndexLog, index: DigestIndex, context: DiskContext) {
    this.paths = paths;
    this.journal = journal;
    this.index = index;
    this.context = context;
  }

  /** Fills the index. */
  async run(): Promise<void> {
    const { incoming, files, journal } = this.paths;
    // A copy of the store may have come without what was empty.
    if (![incoming, files, journal].some((path) => existsSync(path))) return;
    if (existsSync(newPath(this.paths.journal))) unlinkSync(newPath(this.paths.journal));
    const whole = this.journal.load((block) => this.takeBlock(block));
    if (whole && this.doubles.size > 0) await this.dropDoubles();
    for (const name of existsSync(incoming) ? readdirSync(incoming) : []) await this.clear(name, whole);
    if (whole) this.deleteUnlisted();
    else await this.relist();
    await this.journal.commit(); // what was read may not have been on the disk
    await this.journal.close();
  }

  private takeBlock({ records }: IndexBlock): boolean {
    const { index } = this;
    const { words } = index.function;
    const width = recordWords(index.function);
    for (let at = 0; at < records.length; at += width) {
      const serial = records[at + words] as number;
      const upper = records[at + words + 2] as number;
      const size = (records[at + words + 1] as number) + (upper & 0xffffff) * 0x100000000;
      const used = records[at + words + 3] as number;
      const entry = index.find(records, at);
      if (isPresent(records, at, index.function)) {
        if (entry >= 0 && index.place(entry) !== inFile) {
          const hash = records.slice(at, at + words);
          this.doubles.set(serial, { kind: removed, words: hash, word: 0, offset: serial, size, used });
        } else {
          if (entry >= 0) this.forget(entry); // its removal follows, or was under way
          this.insert(records, at, serial, size, used);
        }
      } else if (entry >= 0 && this.isAt(entry, serial)) this.forget(entry);
      else this.doubles.delete(serial);
      this.highest = Math.max(this.highest, serial);
    }
    return true;
  }

  /**
   * A blob has one place: where a pack has it, because its removal there was lost or the index file of the pack was, the file goes. That is noted before it does, or the
   * journal would lead to it once the blob is removed from the pack. A crash in between leaves a file that is not listed: deleted by the next start.
   */
  private async dropDoubles(): Promise<void> {
    for (const record of this.doubles.values()) this.journal.add(record);
    await this.journal.commit();
    this.context.log.info(
      { journal: this.paths.journal, blobs: this.doubles.size },
      "files of blobs that packs have go",
    );
  }

  /**
   * A file in `incoming` after a crash: a blob where the journal lists it, else nothing. Where the journal is damaged, a file that is what
   * its name says is a blob, too.
   */
  private async clear(name: string, whole: boolean): Promise<void> {
    const file = this.fileOf(name, 0);
    if (file === undefined) return;
    const path = this.paths.arriving(file);
    const entry = this.index.find(DigestList.of(file.digest).words, 0);
    if (entry >= 0 ? this.isAt(entry, file.serial) : !whole && (await isWhole(path, file.digest))) {
      makeFolderSync(this.paths.shelf(file));
      renameSync(path, this.paths.settled(file)); // where it is not listed yet, it is found there
    } else {
      unlinkSync(path);
    }
  }

  /**
   * Deletes what lies in `files` and is not listed: the file of a blob that was removed before it had been moved away, or before that was on the
   * disk.
   */
  private deleteUnlisted(): void {
    let deleted = 0;
    for (const [path, name] of this.settled()) {
      const file = this.fileOf(name, 0);
      if (file === undefined) continue;
      const entry = this.index.find(DigestList.of(file.digest).words, 0);
      if (entry >= 0 && this.isAt(entry, file.serial)) continue;
      unlinkSync(path);
      deleted++;
    }
    if (deleted > 0) this.context.log.info({ files: this.paths.files, deleted }, "deleted files of removed blobs");
  }

  /** Paths and names in `files`. */
  private *settled(): Generator<[path: string, name: string], void> {
    const { files } = this.paths;
    for (const shelf of existsSync(files) ? readdirSync(files) : []) {
      for (const name of readdirSync(join(files, shelf))) yield [join(files, shelf, name), name];
    }
  }

  /**
   * Where the journal is damaged, the directories say what there is: whatever lies in `files` was complete and on the disk when it got
   * there. Of two files of one blob, the one that the index has stays. A crash leaves the damaged journal or a whole one: of half of one,
   * the next start would take it that the other files are of blobs that were removed.
   */
  private async relist(): Promise<void> {
    const { journal } = this.paths;
    let found = 0;
    for (const [path, name] of this.settled()) if (this.adopt(path, name)) found++;
    await this.writeAnew();
    this.context.log.warn(
      { journal, found },
      "the journal of large blobs ended in what does not verify; the files were listed anew",
    );
  }

  /** Takes a file that the journal may not list; true where it did not. */
  private adopt(path: string, name: string): boolean {
    const { size, ctimeMs } = statSync(path);
    const file = this.fileOf(name, size);
    if (file === undefined || file.digest.size === 0) return false;
    const { words } = DigestList.of(file.digest);
    const entry = this.index.find(words, 0);
    if (entry >= 0) {
      if (!this.isAt(entry, file.serial)) unlinkSync(path);
      return false;
    }
    // It got its name then. When its bytes were written may be long before: they may be shared with another directory.
    const used = Math.min(this.context.now(), Math.floor(ctimeMs / 1000));
    this.insert(words, 0, file.serial, file.digest.size, used);
    return true;
  }

  /** Puts a journal of what the index has in place of the one there is. */
  private async writeAnew(): Promise<void> {
    const { paths, index, journal } = this;
    const path = newPath(paths.journal);
    const fresh = new IndexLog(path, index.function, this.context.faults);
    for (let entry = 0; entry < index.top; entry++) {
      if (!index.has(entry) || index.place(entry) !== inFile) continue;
      const { chunk, at } = index.locate(entry);
      const [offset, size, used] = [index.offset(entry), index.size(entry), index.used(entry)];
      fresh.add({ kind: present, words: chunk, word: at, offset, size, used });
    }
    await fresh.commit();
    await journal.close();
    renameSync(path, paths.journal);
    await syncDirectory(dirname(paths.journal));
    journal.load(() => true);
  }

  private fileOf(name: string, size: number): BlobFile | undefined {
    const parsed = parseName(name, this.index.function.hexLength);
    if (parsed === undefined) return undefined;
    this.highest = Math.max(this.highest, parsed.serial);
    return { digest: { function: this.index.function, hash: parsed.hash, size }, serial: parsed.serial };
  }

  private insert(words: Uint32Array, word: number, serial: number, size: number, used: number): void {
    if (this.index.find(words, word) >= 0) return;
    this.index.insert(words, word, size, inFile, serial, used);
    this.count++;
    this.bytes += onDisk(size);
  }

  private forget(entry: number): void {
    this.bytes -= onDisk(this.index.size(entry));
    this.index.remove(entry);
    this.count--;
  }

  private isAt(entry: number, serial: number): boolean {
    return this.index.place(entry) === inFile && this.index.offset(entry) === serial;
  }
}

/** Whether a file's bytes have the hash. */
async function isWhole(path: string, { function: fn, hash }: Digest): Promise<boolean> {
  const fd = openSync(path, "r"); // it may be shared with another directory and read-only
  try {
    const window = new FileWindow(fd, fstatSync(fd).size);
    const hashed = runningHash(fn);
    for (let at = 0; at < window.size; at += largePieceBytes) await hashed.update(window.view(at, largePieceBytes));
    if ((await hashed.digest("hex")) !== hash) return false;
    fdatasyncSync(fd);
    return true;
  } finally {
    closeSync(fd);
  }
}
