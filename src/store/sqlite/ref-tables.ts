import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RefName } from "../ref-store.ts";
import { ArtifactTables } from "./artifact-tables.ts";
import type { RefChange, RefRow } from "./ref-change.ts";
import { hashesIn } from "./root-lines.ts";

/** The statements that change the tables. */
export class RefTables {
  private readonly database: DatabaseSync;
  private readonly find: StatementSync;
  private readonly upsert: StatementSync;
  private readonly drop: StatementSync;
  private readonly addRoot: StatementSync;
  private readonly dropRoot: StatementSync;
  private readonly use: StatementSync;
  private readonly artifacts: ArtifactTables;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.find = database.prepare("SELECT id, roots FROM refs WHERE space = ? AND instance = ? AND name = ?");
    this.upsert = database.prepare(`
      INSERT INTO refs (space, instance, name, message, roots, stored, used, expires, put_by)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)
      ON CONFLICT DO UPDATE SET message = ?4, roots = ?5, stored = ?6, used = max(used, ?6), expires = ?7, put_by = ?8
      RETURNING id`);
    this.drop = database.prepare("DELETE FROM refs WHERE id = ?");
    this.addRoot = database.prepare("INSERT INTO roots VALUES (?, ?)");
    this.dropRoot = database.prepare("DELETE FROM roots WHERE hash = ? AND ref = ?");
    this.use = database.prepare("UPDATE refs SET used = ?2 WHERE id = ?1 AND used < ?2");
    this.artifacts = new ArtifactTables(database);
  }

  /** Does all changes, or none where it throws. A crash in the middle leaves none: the journal's end is not there. */
  apply(changes: readonly RefChange[]): void {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      for (const change of changes) this.change(change);
      this.database.exec("COMMIT");
    } catch (error) {
      if (this.database.isTransaction) this.database.exec("ROLLBACK");
      throw error;
    }
  }

  private change(change: RefChange): void {
    if (change.kind === "put") for (const ref of change.refs) this.put(ref);
    else if (change.kind === "remove") this.remove(change.name);
    else for (const [id, time] of change.used) this.use.run(id, time);
  }

  private put(ref: RefRow): void {
    const { space, instance, name, message, roots, stored, expires, by } = ref;
    const before = this.lookUp(ref);
    const { id } = this.upsert.get(space, instance, name, message, roots, stored, expires, by) as { id: number };
    if (ref.artifact !== undefined) this.artifacts.put(id, ref, ref.artifact);
    else if (before !== undefined) this.artifacts.drop(id);
    if (before?.roots === roots) return;
    if (before !== undefined) for (const hash of hashesIn(before.roots)) this.dropRoot.run(hash, id);
    for (const hash of hashesIn(roots)) this.addRoot.run(hash, id);
  }

  private remove(name: RefName): void {
    const found = this.lookUp(name);
    if (found === undefined) return;
    for (const hash of hashesIn(found.roots)) this.dropRoot.run(hash, found.id);
    this.artifacts.drop(found.id);
    this.drop.run(found.id);
  }

  private lookUp({ space, instance, name }: RefName): { id: number; roots: string } | undefined {
    return this.find.get(space, instance, name) as { id: number; roots: string } | undefined;
  }
}
