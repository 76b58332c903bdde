import type { Digest } from "../base/digest.ts";
import { isEmptyBlob } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { BlobReader } from "../store/blob-store.ts";

/** Digests in one question to the store: an artifact of twenty thousand files is asked about at once, in about a megabyte. */
export const presenceBatch = 32_768;

/** Where a walk puts the digests that it comes by. */
export interface DigestSink {
  /** The list to which a walk adds without making a value of each digest; it calls `settled` now and then, so that the list stays short. */
  list(fn: DigestFunction): DigestList;
  /** Whether the walk is to go on. */
  settled(): MaybePromise<boolean>;
}

/** Collects digests, of any function, that must all be there, and asks the store about many at once. */
export class Presence implements DigestSink {
  private readonly blobs: BlobReader;
  private readonly lists = new Map<DigestFunction, DigestList>();

  constructor(blobs: BlobReader) {
    this.blobs = blobs;
  }

  require(digest: Digest): void {
    if (!isEmptyBlob(digest)) this.list(digest.function).push(digest);
  }

  list(fn: DigestFunction): DigestList {
    let list = this.lists.get(fn);
    if (list === undefined) {
      list = new DigestList(fn);
      this.lists.set(fn, list);
    }
    return list;
  }

  /** False once something is known to be missing. Asks only where there is enough to ask. */
  async settled(): Promise<boolean> {
    for (const list of this.lists.values()) {
      if (list.length >= presenceBatch && !(await this.ask(list))) return false;
    }
    return true;
  }

  /** Whether everything required until now is there. */
  async all(): Promise<boolean> {
    for (const list of this.lists.values()) if (!(await this.ask(list))) return false;
    return true;
  }

  private async ask(list: DigestList): Promise<boolean> {
    if (list.length === 0) return true;
    const missing = await this.blobs.missing(list);
    list.clear();
    return missing.length === 0;
  }
}
