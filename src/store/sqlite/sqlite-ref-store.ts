import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { ListedRef, RefAdmin, RefFilter, RefGroup, RefKind, RefOrder, RefRoots, RefsSize } from "../ref-admin.ts";
import { checkRef, putMeanwhile } from "../ref-limits.ts";
import type { NewRef, Ref, RefListing, RefName, RefStore, Space } from "../ref-store.ts";
import { ArtifactReader } from "./artifact-reader.ts";
import { LastUse } from "./last-use.ts";
import { migrateLogged } from "./migrate-logged.ts";
import { openDatabase } from "./open-database.ts";
import { rowOfRef } from "./ref-change.ts";
import { RefEviction } from "./ref-eviction.ts";
import { RefListings } from "./ref-listings.ts";
import { RefLists } from "./ref-lists.ts";
import { RefReader } from "./ref-reader.ts";
import { type Durability, RefWriter } from "./ref-writer.ts";

export interface SqliteRefStoreOptions {
  /** The database's file, in a folder that is there. Other processes may read it (`read-only-artifacts.ts`) and pin refs (`pins.ts`), and no more. */
  readonly file: string;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Refs in one SQLite file. Reading happens where it is asked for, writing in a thread of its own, where all who wait share one transaction and
 * one wait for the disk. A crash leaves every acknowledged ref, and nothing of one that was not all written.
 */
export class SqliteRefStore implements RefStore, RefAdmin {
  readonly artifacts: ArtifactReader;
  private readonly database: DatabaseSync;
  private readonly reader: RefReader;
  private readonly writer: RefWriter;
  private readonly lastUse: LastUse;
  private readonly lists: RefLists;
  private readonly listings: RefListings;
  private readonly eviction: RefEviction;
  private readonly clock: Clock;

  /** A file of an older format is brought to the present one, which may take a minute for a million refs. Errors: `failed-precondition` for a format that is not known here, `corrupt`, `internal`. */
  constructor({ file, durability, clock, log }: SqliteRefStoreOptions) {
    this.database = openDatabase(file, (database) => migrateLogged(database, file, log));
    this.database.exec("PRAGMA query_only = ON");
    this.reader = new RefReader(this.database);
    this.artifacts = new ArtifactReader(this.database, clock);
    this.lists = new RefLists(file, this.database);
    this.listings = new RefListings(file, this.database, clock);
    const { versions } = this.listings;
    const writer = new RefWriter(file, durability, (ids) => this.eviction.onPut(ids));
    this.writer = writer;
    this.lastUse = new LastUse((used) => writer.write({ kind: "use", used }), log);
    this.eviction = new RefEviction(file, writer, this.lastUse, (kinds) => versions.bump(kinds));
    this.clock = clock;
  }

  get(name: RefName): Ref | undefined {
    const found = this.reader.find(name);
    if (found === undefined || this.eviction.isGoing(found.id)) return undefined;
    const now = this.clock();
    const { id, ref } = found;
    if (ref.expires !== undefined && ref.expires <= now) return undefined;
    this.lastUse.note(id, now);
    return ref;
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    const done = await this.writer.write({ kind: "put", refs: refs.map(rowOfRef), now: this.clock() });
    if (done !== true) throw putMeanwhile();
    this.listings.versions.bump(refs);
  }

  async remove(name: RefName): Promise<void> {
    await this.writer.write({ kind: "remove", name });
    this.listings.versions.bump([name]);
  }

  count(space: Space): number {
    return this.reader.count(space);
  }

  listed(kind: RefKind, known?: number): MaybePromise<RefListing | undefined> {
    return this.listings.listed(kind, known);
  }

  order(): Promise<RefOrder> {
    return this.eviction.order();
  }

  rootsOf(ids: Iterable<number>): Iterable<RefRoots> {
    return this.lists.rootsOf(ids);
  }

  async pin(name: RefName, pinned: boolean): Promise<boolean> {
    return (await this.writer.write({ kind: "pin", name, pinned })) === true;
  }

  list(filter: RefFilter): Iterable<ListedRef> {
    return this.lists.list(filter);
  }

  groups(): RefGroup[] {
    return this.lists.groups();
  }

  size(): RefsSize {
    return this.lists.size();
  }

  async close(): Promise<void> {
    await this.lastUse.stop();
    await this.writer.close();
    this.database.close();
  }
}
