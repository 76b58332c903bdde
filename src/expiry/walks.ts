import { type Digest, isEmptyBlob } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import type { Slices } from "../base/slices.ts";
import { type MessageRoot, readNeeds } from "../cache/artifact-needs.ts";
import { readCommit } from "../cache/commit-walk.ts";
import type { DigestSink } from "../cache/presence.ts";
import { walkTree } from "../cache/tree-message.ts";
import type { Root } from "../store/ref-store.ts";
import { DirectoryWalk, directoryForm, dirtreeForm, type Failed } from "./directory-walk.ts";
import { bits, type ShelfMarks, type TenantMarks } from "./marks.ts";
import { lookUps, type Reach, reachAll } from "./reach.ts";
import { isUnread, type Unread } from "./unread.ts";

/**
 * Finds everything that roots keep alive, as `cache/closure.ts` has it, and the optional trees of messages as far as they are there. Where
 * that asks whether all is there, this takes what there is: it goes on behind what is missing, broken or beyond the limits, and notes what the disk did not give.
 * What was walked once is not walked again until `TenantMarks.forgetWalks`, so that everything together costs no more than one look at each directory.
 */
export class Walks {
  private readonly tenant: TenantMarks;
  private readonly slices: Slices;
  private readonly directories: DirectoryWalk;
  private readonly dirtrees: DirectoryWalk;
  private readonly unread: Unread;

  constructor(tenant: TenantMarks, slices: Slices, unread: Unread) {
    this.tenant = tenant;
    this.slices = slices;
    this.unread = unread;
    const failed: Failed = (shelf, number, error) => unread.note(tenant.instance, shelf, number, error);
    this.directories = new DirectoryWalk(tenant, slices, directoryForm, failed);
    this.dirtrees = new DirectoryWalk(tenant, slices, dirtreeForm, failed);
  }

  /** Errors: the reason of the slices' signal. */
  async from(roots: Iterable<Root>, reach: Reach): Promise<void> {
    let looked = 0;
    for (const root of roots) {
      if (root.walk === "artifact" || root.walk === "source") await this.message(root as MessageRoot, reach);
      else await this.tree(root, reach);
      if (++looked % lookUps === 0 && this.slices.over) await this.slices.rest();
    }
  }

  private async message(root: MessageRoot, reach: Reach): Promise<void> {
    const found = this.begin(root, reach);
    if (found === undefined) return;
    const needs = await this.readable(found, readNeeds(this.tenant.reader, root));
    if (needs === undefined) return;
    await this.from(needs.required, reach);
    for (const digest of needs.optional.values()) await this.tree({ walk: "directory", digest }, reach);
  }

  private async tree(root: Root, reach: Reach): Promise<void> {
    const found = this.begin(root, reach);
    if (found === undefined) return;
    if (root.walk === "commit") await this.commit(found, root.digest, reach);
    else if (root.walk === "directory") await this.directories.from(found.shelf, found.number, reach);
    else if (root.walk === "tree") {
      const sink = new Reached(found.shelf, reach, this.slices);
      await this.readable(found, walkTree(this.tenant.reader, root.digest, sink));
      await sink.settled(); // of one that does not end as it should, what came before that
    }
  }

  /** Goes on from a commit of OSTree. What commits share of their trees is walked once. */
  private async commit(found: Found, digest: Digest, reach: Reach): Promise<void> {
    const commit = await this.readable(found, readCommit(this.tenant.reader, digest));
    if (commit === undefined) return;
    const { shelf } = found;
    const [tree, meta] = [commit.tree, commit.treeMeta].map((hash) => numberOf(shelf, { ...digest, hash }));
    if (meta !== undefined && meta >= 0) reach(shelf, meta);
    if (tree === undefined || tree < 0) return;
    reach(shelf, tree);
    if (shelf.begin(tree, bits.dirtree)) await this.dirtrees.from(shelf, tree, reach);
  }

  /** Reaches a root's own blob; gives it where it is to be walked. */
  private begin({ walk, digest }: Root, reach: Reach): Found | undefined {
    if (isEmptyBlob(digest)) return undefined;
    const shelf = this.tenant.shelf(digest.function);
    const number = shelf === undefined ? -1 : numberOf(shelf, digest);
    if (shelf === undefined || number < 0) return undefined;
    reach(shelf, number);
    return walk !== "blob" && shelf.begin(number, bits[walk]) ? { shelf, number } : undefined;
  }

  /** What is no message of its kind, or broken on the disk, names nothing more; what the disk does not give is noted. */
  private async readable<T>({ shelf, number }: Found, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      if (error instanceof StillageError && (error.code === "invalid" || error.code === "corrupt")) return undefined;
      if (!isUnread(error)) throw error;
      this.unread.note(this.tenant.instance, shelf, number, error);
      return undefined;
    }
  }
}

interface Found {
  readonly shelf: ShelfMarks;
  readonly number: number;
}

function numberOf({ census }: ShelfMarks, digest: Digest): number {
  return census.find(DigestList.of(digest).words, 0);
}

/** Takes the files of a Tree. */
class Reached implements DigestSink {
  private readonly shelf: ShelfMarks;
  private readonly reach: Reach;
  private readonly slices: Slices;
  private readonly files: DigestList;

  constructor(shelf: ShelfMarks, reach: Reach, slices: Slices) {
    this.shelf = shelf;
    this.reach = reach;
    this.slices = slices;
    this.files = new DigestList(shelf.census.function);
  }

  list(): DigestList {
    return this.files;
  }

  async settled(): Promise<boolean> {
    await reachAll(this.shelf, this.files, this.reach, this.slices);
    return true;
  }
}
