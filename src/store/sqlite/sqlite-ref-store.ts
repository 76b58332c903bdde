import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { checkRef } from "../ref-limits.ts";
import type { NewRef, Ref, RefName, RefStore, Space } from "../ref-store.ts";
import { ArtifactReader } from "./artifact-reader.ts";
import { LastUse } from "./last-use.ts";
import { rowOfRef } from "./ref-change.ts";
import { RefReader } from "./ref-reader.ts";
import { type Durability, RefWriter } from "./ref-writer.ts";
import { openDatabase } from "./schema.ts";

export interface SqliteRefStoreOptions {
  /** The database's file, in a folder that is there. Other processes may read it (`read-only-artifacts.ts`), and no more. */
  readonly file: string;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Refs in one SQLite file. Reading happens where it is asked for, writing in a thread of its own, where all who wait share one transaction and
 * one wait for the disk. A crash leaves every acknowledged ref, and nothing of one that was not all written.
 */
export class SqliteRefStore implements RefStore {
  readonly artifacts: ArtifactReader;
  private readonly database: DatabaseSync;
  private readonly reader: RefReader;
  private readonly writer: RefWriter;
  private readonly lastUse: LastUse;
  private readonly clock: Clock;

  /** Errors: `failed-precondition` for a format that is not known here, `corrupt`, `internal`. */
  constructor({ file, durability, clock, log }: SqliteRefStoreOptions) {
    this.database = openDatabase(file);
    this.database.exec("PRAGMA query_only = ON");
    this.reader = new RefReader(this.database);
    this.artifacts = new ArtifactReader(this.database, clock);
    const writer = new RefWriter(file, durability);
    this.writer = writer;
    this.lastUse = new LastUse((used) => writer.write({ kind: "use", used }), log);
    this.clock = clock;
  }

  get(name: RefName): Ref | undefined {
    const found = this.reader.find(name);
    if (found === undefined) return undefined;
    const now = this.clock();
    const { id, ref } = found;
    if (ref.expires !== undefined && ref.expires <= now) return undefined;
    this.lastUse.note(id, now);
    return ref;
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    await this.writer.write({ kind: "put", refs: refs.map(rowOfRef) });
  }

  async remove(name: RefName): Promise<void> {
    await this.writer.write({ kind: "remove", name });
  }

  count(space: Space): number {
    return this.reader.count(space);
  }

  async close(): Promise<void> {
    await this.lastUse.stop();
    await this.writer.close();
    this.database.close();
  }
}
