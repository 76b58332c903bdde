import { type DigestFunction, ostree } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { isPromise } from "../base/maybe-promise.ts";
import type { Slices } from "../base/slices.ts";
import { forEachBlob } from "../cache/batch-entries.ts";
import { readChildren } from "../cache/directory-children.ts";
import { maxDirectoryBytes } from "../cache/directory-walk.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import { readTreeChecksums } from "../ostree/tree-checksums.ts";
import type { BatchRead } from "../store/blob-store.ts";
import { bits, type ShelfMarks, type TenantMarks } from "./marks.ts";
import { type Reach, reachAll } from "./reach.ts";
import { isUnread } from "./unread.ts";

/** Told of each directory that could not be read. */
export type Failed = (shelf: ShelfMarks, number: number, error: StillageError) => void;

/** Directories that are read at once, and the bytes that they may have together unless one alone has more: a fraction of a slice. */
const batchCount = 128;
const batchBytes = 64 << 10;

const firstStack = 1024;

/** What directories are that name blobs. */
export interface DirectoryForm {
  /** What marks one as walked. */
  readonly bit: number;
  /** What is larger is in no complete tree. */
  readonly maxBytes: number;
  /** The function of their files; left out: their own. */
  readonly files?: DigestFunction;
  /** Appends what one names that lies from `start` to `end`. Errors: `invalid`. */
  read(bytes: Uint8Array, start: number, end: number, into: Children): void;
}

export interface Children {
  readonly files: DigestList;
  readonly directories: DigestList;
  /** Blobs of the directories' function that are no directories. */
  readonly metas: DigestList;
}

/** Directories of the Remote Execution API. */
export const directoryForm: DirectoryForm = {
  bit: bits.directory,
  maxBytes: maxDirectoryBytes,
  read: readChildren,
};

/** Dirtrees of OSTree. */
export const dirtreeForm: DirectoryForm = {
  bit: bits.dirtree,
  maxBytes: maxMetadataBytes,
  files: ostree,
  read: readTreeChecksums,
};

/** Walks trees of directories that are blobs of one tenant. Memory: four bytes for each directory that waits, and one batch. */
export class DirectoryWalk {
  private readonly tenant: TenantMarks;
  private readonly slices: Slices;
  private readonly form: DirectoryForm;
  private readonly failed: Failed;
  /** Numbers of directories that are reached and marked as walked, but still to be read. */
  private waiting = new Int32Array(firstStack);
  private count = 0;
  private readonly lists = new Map<DigestFunction, Lists>();

  constructor(tenant: TenantMarks, slices: Slices, form: DirectoryForm, failed: Failed) {
    this.tenant = tenant;
    this.slices = slices;
    this.form = form;
    this.failed = failed;
  }

  /** Reaches everything below a directory that is itself reached and marked. */
  async from(shelf: ShelfMarks, root: number, reach: Reach): Promise<void> {
    const lists = this.listsOf(shelf.census.function);
    const filesShelf = this.tenant.shelf(lists.files.function);
    this.count = 0;
    this.push(root);
    while (this.count > 0) {
      const batch = this.takeBatch(shelf, lists.batch);
      if (batch.length > 0) {
        try {
          const reading = this.tenant.reader.readBatch(batch);
          this.takeChildren(isPromise(reading) ? await reading : reading, lists);
        } catch (error) {
          if (!isUnread(error)) throw error;
          await this.readSingly(shelf, lists);
        }
        if (filesShelf === undefined) lists.files.clear();
        else await reachAll(filesShelf, lists.files, reach, this.slices);
        await reachAll(shelf, lists.metas, reach, this.slices);
        await reachAll(shelf, lists.directories, (_, number) => this.enter(shelf, number, reach), this.slices);
      }
      if (this.slices.over) await this.slices.rest();
    }
  }

  /** Reads the directories of a batch one by one, as one of them cannot be read. */
  private async readSingly(shelf: ShelfMarks, lists: Lists): Promise<void> {
    const { batch } = lists;
    const { census } = shelf;
    const one = new DigestList(census.function);
    for (let i = 0; i < batch.length; i++) {
      one.clear();
      one.push(batch.at(i));
      try {
        this.takeChildren(await this.tenant.reader.readBatch(one), lists);
      } catch (error) {
        if (!isUnread(error)) throw error;
        const number = census.find(one.words, 0);
        if (number >= 0) this.failed(shelf, number, error);
      }
      if (this.slices.over) await this.slices.rest();
    }
  }

  private enter(shelf: ShelfMarks, number: number, reach: Reach): void {
    reach(shelf, number);
    if (shelf.begin(number, this.form.bit)) this.push(number);
  }

  /** The next directories to be read. One that is larger than a directory can be is left out: no tree with it is ever complete. */
  private takeBatch({ census }: ShelfMarks, batch: DigestList): DigestList {
    batch.clear();
    let bytes = 0;
    while (this.count > 0 && batch.length < batchCount) {
      const number = this.waiting[this.count - 1] as number;
      const digest = census.has(number) ? census.digest(number) : undefined;
      if (digest !== undefined && digest.size <= this.form.maxBytes) {
        bytes += digest.size;
        if (bytes > batchBytes && batch.length > 0) break;
        batch.push(digest);
      }
      this.count--;
    }
    return batch;
  }

  private push(number: number): void {
    if (this.count === this.waiting.length) {
      const grown = new Int32Array(this.count * 2);
      grown.set(this.waiting);
      this.waiting = grown;
    }
    this.waiting[this.count++] = number;
  }

  private listsOf(fn: DigestFunction): Lists {
    let lists = this.lists.get(fn);
    if (lists === undefined) {
      const [batch, directories, metas] = [new DigestList(fn), new DigestList(fn), new DigestList(fn)];
      lists = { batch, files: new DigestList(this.form.files ?? fn), directories, metas };
      this.lists.set(fn, lists);
    }
    return lists;
  }

  /** Takes the children of all directories of a batch, and gives it back. */
  private takeChildren(read: BatchRead, into: Children): void {
    try {
      forEachBlob(read, (bytes, start, end) => {
        try {
          this.form.read(bytes, start, end, into);
        } catch (error) {
          // What is no directory is in no complete tree; what it named before that is kept.
          if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
        }
      });
    } finally {
      read.release();
    }
  }
}

interface Lists extends Children {
  readonly batch: DigestList;
}
