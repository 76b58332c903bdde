import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { asStillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import type { Maker } from "./compose.ts";
import { writePage } from "./page-files.ts";
import type { ReleaseSigning } from "./prepared.ts";
import { dropLeftovers } from "./prepared-files.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { lockRepository } from "./repository-lock.ts";

export interface WriterOptions {
  readonly signing: ReleaseSigning;
  /** What makes releases: program -> version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for another process that writes, in milliseconds. */
  readonly waitMs?: number;
  /** Is told what went wrong without ending the work. */
  readonly warn: (sentence: string) => void;
}

/** The file that is there from the moment that branches begin to move until the page says so, too. */
const markName = "unfinished";

/** A repository to which this process alone writes until it is disposed of. */
export class ReleaseWriter implements Disposable {
  readonly repository: ReleaseRepository;
  readonly archive: ArchiveRepository;
  readonly options: WriterOptions;
  private readonly lock: Disposable;

  private constructor(
    repository: ReleaseRepository,
    archive: ArchiveRepository,
    options: WriterOptions,
    lock: Disposable,
  ) {
    this.repository = repository;
    this.archive = archive;
    this.options = options;
    this.lock = lock;
  }

  /** Locks a repository, and ends what a process that was killed has left. Errors: `unavailable` where another writes to it. */
  static async open(repository: ReleaseRepository, options: WriterOptions): Promise<ReleaseWriter> {
    const lock = await lockRepository(repository, options);
    try {
      const archive = await ArchiveRepository.open(repository.layout.archive);
      await makeFolder(repository.layout.prepared);
      const writer = new ReleaseWriter(repository, archive, options, lock);
      await writer.settle();
      return writer;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  get maker(): Maker {
    return { builder: this.repository.settings.builder, versions: this.options.versions };
  }

  /** Says, before branches move, that the page has to follow. */
  async mark(): Promise<void> {
    if (!existsSync(this.markPath)) await writeNewFile(this.markPath, new Uint8Array(0));
    await syncDirectory(this.repository.layout.directory);
  }

  /** Makes page and list say what the branches say. */
  async refreshPage(): Promise<void> {
    await writePage(this.repository, this.archive);
    await rm(this.markPath, { force: true });
  }

  /** The same, where what goes wrong is a warning: what a page cannot be made of keeps nobody from publishing. The next writer tries again. */
  async tryPage(): Promise<void> {
    try {
      await this.refreshPage();
    } catch (error) {
      const why = asStillageError(error).message;
      this.options.warn(`the page of releases could not be written, and is older than they are: ${why}`);
    }
  }

  [Symbol.dispose](): void {
    this.lock[Symbol.dispose]();
  }

  private async settle(): Promise<void> {
    const { layout } = this.repository;
    await dropLeftovers(layout);
    if (!existsSync(this.markPath)) return;
    // Beginning a change ends one that was decided and cut short, summary included.
    await (await this.archive.begin()).abort();
    await this.tryPage();
  }

  private get markPath(): string {
    return join(this.repository.layout.directory, markName);
  }
}
