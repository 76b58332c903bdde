import { existsSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Digest } from "../base/digest.ts";
import { DigestList, hexOfWords } from "../base/digest-list.ts";
import { inParallel } from "../base/in-parallel.ts";
import { makeFolderSync } from "../base/make-folder.ts";
import { syncDirectory } from "../store/disk/file-io.ts";
import { FilePaths, parseName } from "../store/disk/file-paths.ts";
import { present, writeRecord } from "../store/disk/index-format.ts";
import { newPath } from "../store/disk/index-rewrite.ts";
import { type CheckContext, type CheckedShelf, found, foundBroken } from "./check-context.ts";
import { leftover } from "./check-packs.ts";
import type { Finding } from "./findings.ts";
import { type IndexState, RecordBuffer, readIndexFile, writeIndexFile } from "./index-file.ts";
import { list } from "./list-directory.ts";

/** A large blob as the journal lists it. */
interface Listed {
  readonly serial: number;
  readonly size: number;
  readonly used: number;
}

/** The large blobs of one shelf: the journal against the files, and each file against its name. */
export async function checkFiles(context: CheckContext, shelf: CheckedShelf): Promise<void> {
  const paths = new FilePaths(shelf.directory);
  if (!existsSync(paths.files) && !existsSync(paths.incoming) && !existsSync(paths.journal)) return;
  await new FilesCheck(context, shelf, paths).run();
}

class FilesCheck {
  private readonly context: CheckContext;
  private readonly shelf: CheckedShelf;
  private readonly paths: FilePaths;
  private state: IndexState = "absent";
  /** Directories that cannot be read: what is listed in them stays so. */
  private readonly unread = new Set<string>();
  private readonly listed = new Map<string, Listed>();
  /** What the journal should list. */
  private readonly good = new Map<string, Listed>();
  /** What a new journal mends. */
  private readonly mended: Finding[] = [];
  /** What is to be done before the journal is written. */
  private readonly steps: (() => Promise<void>)[] = [];

  constructor(context: CheckContext, shelf: CheckedShelf, paths: FilePaths) {
    this.context = context;
    this.shelf = shelf;
    this.paths = paths;
  }

  async run(): Promise<void> {
    const { context, paths } = this;
    if (!this.readJournal()) return;
    const settled: string[] = [];
    for (const name of this.namesIn(paths.files)) {
      if (/^[0-9a-f]{2}$/.test(basename(name))) settled.push(...this.namesIn(name));
      else found(context, "foreign", name, "is not the store's");
    }
    const arriving = this.namesIn(paths.incoming);
    const there = new Set([...settled, ...arriving]);
    if (this.state === "absent" && settled.length > 0) {
      this.mended.push(found(context, "journal-damaged", paths.journal, "it is gone"));
    }
    await inParallel(this.listed, context.workers.count, ([hash, listed]) => this.checkListed(hash, listed, there));
    await inParallel(settled, context.workers.count, (path) => this.checkUnlisted(path));
    for (const path of arriving) await this.checkArriving(path);
    if (existsSync(newPath(paths.journal))) await leftover(context, newPath(paths.journal));
    if (context.repair && this.mended.length > 0) await this.repair();
  }

  private readJournal(): boolean {
    const { context, paths, shelf, listed } = this;
    const fn = shelf.function;
    try {
      const { state, records } = readIndexFile(paths.journal, fn);
      this.state = state;
      for (let i = 0, at = 0; i < records.count; i++, at += records.width) {
        const { words } = records;
        const field = at + fn.words;
        const size = (words[field + 1] as number) + ((words[field + 2] as number) & 0xffffff) * 0x100000000;
        const one = { serial: words[field] as number, size, used: words[field + 3] as number };
        listed.set(hexOfWords(words, at, at + fn.words), one);
      }
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (syscall === undefined) throw error;
      found(context, "unreadable", paths.journal, `it cannot be read: ${code}`);
      return false;
    }
    if (this.state === "damaged")
      this.mended.push(found(context, "journal-damaged", paths.journal, "a block does not verify"));
    if (this.state === "torn")
      this.mended.push(found(context, "journal-torn", paths.journal, "its last block is not whole"));
    return true;
  }

  private namesIn(directory: string): string[] {
    const names = list(this.context, directory);
    if (names === undefined) this.unread.add(directory);
    return names?.map((name) => join(directory, name)) ?? [];
  }

  private async checkListed(hash: string, listed: Listed, there: ReadonlySet<string>): Promise<void> {
    const { context, shelf, paths } = this;
    const digest: Digest = { function: shelf.function, hash, size: listed.size };
    const file = { digest, serial: listed.serial };
    const settled = paths.settled(file);
    const path = there.has(settled) ? settled : paths.arriving(file);
    if (!there.has(path)) {
      if ([paths.files, paths.shelf(file), paths.incoming].some((directory) => this.unread.has(directory))) {
        this.good.set(hash, listed);
        return;
      }
      this.mended.push(
        foundBroken(context, shelf, digest, settled, { kind: "file-missing", what: "its file is gone" }),
      );
      return;
    }
    const wrong = await this.wrong(path, hash, listed.size);
    if (wrong === undefined) return;
    if (wrong === "") {
      this.good.set(hash, listed);
      context.tally.files++;
      context.tally.blobs++;
      if (path !== settled) {
        this.mended.push(found(context, "file-unsettled", path, "is not yet among the files"));
        this.steps.push(() => this.settle(path, digest, listed.serial));
      }
      return;
    }
    this.mended.push(foundBroken(context, shelf, digest, path, { kind: "blob-rotten", what: wrong }));
    this.steps.push(() => this.quarantine(path, digest, wrong));
  }

  /** A file among the files that the journal does not list. */
  private async checkUnlisted(path: string): Promise<void> {
    const { context, shelf, paths } = this;
    const parsed = parseName(path.slice(path.lastIndexOf("/") + 1), shelf.function.hexLength);
    if (parsed === undefined) {
      found(context, "foreign", path, "is not the store's");
      return;
    }
    const { hash, serial } = parsed;
    if (this.listed.get(hash)?.serial === serial) return;
    const digest: Digest = { function: shelf.function, hash, size: statSync(path).size };
    if (paths.settled({ digest, serial }) !== path) {
      found(context, "foreign", path, "is in the folder of other files");
      return;
    }
    const wrong = await this.wrong(path, hash, digest.size);
    if (wrong === undefined) return;
    if (wrong !== "") {
      this.mended.push(found(context, "file-unlisted", path, wrong));
      this.steps.push(() => this.quarantine(path, digest, wrong));
    } else if (this.good.has(hash)) {
      this.mended.push(found(context, "file-twice", path, "the blob has another file"));
      this.steps.push(() => rm(path));
    } else {
      // Of a damaged journal that is how the rest is found.
      const kind = this.state === "whole" ? "file-unlisted" : "file-unsettled";
      this.mended.push(found(context, kind, path, "is whole, and the journal does not list it"));
      this.good.set(hash, { serial, size: digest.size, used: Math.floor(context.clock() / 1000) });
      context.tally.files++;
      context.tally.blobs++;
    }
  }

  private async checkArriving(path: string): Promise<void> {
    const { context, shelf } = this;
    const parsed = parseName(path.slice(path.lastIndexOf("/") + 1), shelf.function.hexLength);
    if (parsed === undefined) {
      found(context, "foreign", path, "is not the store's");
      return;
    }
    const { hash, serial } = parsed;
    const listed = this.listed.get(hash);
    if (listed?.serial === serial) return;
    // Where the journal is damaged, a file may have been listed: what is whole stays.
    if (this.state !== "whole" && !this.good.has(hash)) {
      const { size } = statSync(path);
      const digest: Digest = { function: shelf.function, hash, size };
      if (size > 0 && (await this.wrong(path, hash, size)) === "") {
        this.mended.push(found(context, "file-unsettled", path, "is whole, and the journal is damaged"));
        this.steps.push(() => this.settle(path, digest, serial));
        this.good.set(hash, { serial, size, used: Math.floor(context.clock() / 1000) });
        return;
      }
    }
    await leftover(context, path);
  }

  /** Why a file is not its blob; "" where it is, and `undefined` where it cannot be read, which is noted. */
  private async wrong(path: string, hash: string, size: number): Promise<string | undefined> {
    const { context, shelf } = this;
    const { file, refused } = await context.workers.run({ kind: "file", path, function: shelf.function.name });
    if (file === undefined) {
      found(context, "unreadable", path, `it cannot be read: ${refused}`);
      const listed = this.listed.get(hash);
      if (listed !== undefined) this.good.set(hash, listed);
      return undefined;
    }
    if (file.size !== size) return `it has ${file.size} bytes, not ${size}`;
    return file.hash === hash ? "" : `its bytes have the hash ${file.hash}`;
  }

  /**
   * First what is broken goes to the quarantine and what is whole to its place, then the journal is replaced. A crash between leaves a
   * journal that lists files which are gone: found by the next check.
   */
  private async repair(): Promise<void> {
    const { context, paths, shelf } = this;
    const fn = shelf.function;
    for (const step of this.steps) await step();
    const records = new RecordBuffer(fn);
    const record = new Uint32Array(records.width);
    for (const [hash, { serial, size, used }] of this.good) {
      const { words } = DigestList.of({ function: fn, hash, size });
      writeRecord(record, 0, fn, { kind: present, words, word: 0, offset: serial, size, used });
      records.append(record, 0);
    }
    makeFolderSync(paths.incoming);
    await writeIndexFile(paths.journal, fn, records, 0);
    context.findings.repaired(this.mended);
  }

  private async settle(path: string, digest: Digest, serial: number): Promise<void> {
    const file = { digest, serial };
    makeFolderSync(this.paths.shelf(file));
    await rename(path, this.paths.settled(file));
    await syncDirectory(this.paths.shelf(file));
  }

  private async quarantine(path: string, digest: Digest, reason: string): Promise<void> {
    const { instance } = this.shelf;
    const file = relative(this.context.store, path);
    await this.context.quarantine.takeFile({ instance, digest, file, offset: 0, reason }, path);
  }
}
