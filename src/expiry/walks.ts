import { type Digest, isEmptyBlob } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import type { Slices } from "../base/slices.ts";
import { type MessageRoot, readNeeds } from "../cache/artifact-needs.ts";
import type { DigestSink } from "../cache/presence.ts";
import { walkTree } from "../cache/tree-message.ts";
import type { Root } from "../store/ref-store.ts";
import { DirectoryWalk } from "./directory-walk.ts";
import { bits, type ShelfMarks, type TenantMarks } from "./marks.ts";
import { lookUps, type Reach, reachAll } from "./reach.ts";

/**
 * Finds everything that roots keep alive, as `cache/closure.ts` has it, and the optional trees of messages as far as they are there. Where
 * that asks whether all is there, this takes what there is: it goes on behind what is missing, broken or beyond the limits.
 * What was walked once is not walked again until `TenantMarks.forgetWalks`, so that everything together costs no more than one look at each directory.
 */
export class Walks {
  private readonly tenant: TenantMarks;
  private readonly slices: Slices;
  private readonly directories: DirectoryWalk;

  constructor(tenant: TenantMarks, slices: Slices) {
    this.tenant = tenant;
    this.slices = slices;
    this.directories = new DirectoryWalk(tenant.reader, slices, bits.directory);
  }

  /** Errors: those of the disk, and the reason of the slices' signal. */
  async from(roots: Iterable<Root>, reach: Reach): Promise<void> {
    let looked = 0;
    for (const root of roots) {
      if (root.walk === "artifact" || root.walk === "source") await this.message(root as MessageRoot, reach);
      else await this.tree(root, reach);
      if (++looked % lookUps === 0 && this.slices.over) await this.slices.rest();
    }
  }

  private async message(root: MessageRoot, reach: Reach): Promise<void> {
    if (!this.begin(root, reach)) return;
    const needs = await readable(readNeeds(this.tenant.reader, root));
    if (needs === undefined) return;
    await this.from(needs.required, reach);
    for (const digest of needs.optional.values()) await this.tree({ walk: "directory", digest }, reach);
  }

  private async tree(root: Root, reach: Reach): Promise<void> {
    const found = this.begin(root, reach);
    if (found === undefined) return;
    if (root.walk === "directory") await this.directories.from(found.shelf, found.number, reach);
    else if (root.walk === "tree") {
      const sink = new Reached(found.shelf, reach, this.slices);
      await readable(walkTree(this.tenant.reader, root.digest, sink));
      await sink.settled(); // of one that does not end as it should, what came before that
    }
  }

  /** Reaches a root's own blob; gives it where it is to be walked. */
  private begin({ walk, digest }: Root, reach: Reach): { shelf: ShelfMarks; number: number } | undefined {
    if (isEmptyBlob(digest)) return undefined;
    const shelf = this.tenant.shelf(digest.function);
    const number = shelf === undefined ? -1 : numberOf(shelf, digest);
    if (shelf === undefined || number < 0) return undefined;
    reach(shelf, number);
    return walk !== "blob" && shelf.begin(number, bits[walk]) ? { shelf, number } : undefined;
  }
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

/** What is no message of its kind, or broken on the disk, names nothing more. */
export async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StillageError && (error.code === "invalid" || error.code === "corrupt")) return undefined;
    throw error;
  }
}
