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
    this.find = database.prepare(
      "SELECT id, roots, artifact, stored, expires FROM refs WHERE space = ? AND instance = ? AND name = ?",
    );
    this.upsert = database.prepare(`
      INSERT INTO refs (space, instance, name, message, roots, stored, used, expires, put_by, artifact, key, place)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)
      ON CONFLICT DO UPDATE SET message = ?4, roots = ?5, stored = ?6, used = max(used, ?6), expires = ?7, put_by = ?8,
        artifact = ?9, key = ?10, place = ?11
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
    if (change.kind === "put") this.putAll(change.refs);
    else if (change.kind === "remove") this.remove(change.name);
    else for (const [id, time] of change.used) this.use.run(id, time);
  }

  private putAll(refs: readonly RefRow[]): void {
    let listed: number | undefined;
    for (const [place, ref] of refs.entries()) {
      const { artifact } = ref;
      // The strong and the weak key come together, and are one artifact's.
      if (artifact === undefined) listed = undefined;
      else if (!isSameArtifact(refs[place - 1], ref)) listed = this.artifacts.add(ref, artifact);
      const before = this.put(ref, place, listed ?? null);
      if (before === undefined || before.artifact === null) continue;
      if (before.artifact !== listed) this.artifacts.dropUnnamed(before.artifact);
      // What was added to the list counts what the ref said until now as well.
      else if (before.expires !== ref.expires || before.stored > ref.stored) this.artifacts.refresh(listed);
    }
  }

  /** Puts a ref, and returns what it was before. */
  private put(ref: RefRow, place: number, artifact: number | null): Found | undefined {
    const { space, instance, name, message, roots, stored, expires, by } = ref;
    const before = this.lookUp(ref);
    const key = ref.artifact?.key ?? null;
    const row = this.upsert.get(space, instance, name, message, roots, stored, expires, by, artifact, key, place);
    const { id } = row as { id: number };
    if (before?.roots === roots) return before;
    if (before !== undefined) for (const hash of hashesIn(before.roots)) this.dropRoot.run(hash, id);
    for (const hash of hashesIn(roots)) this.addRoot.run(hash, id);
    return before;
  }

  private remove(name: RefName): void {
    const found = this.lookUp(name);
    if (found === undefined) return;
    for (const hash of hashesIn(found.roots)) this.dropRoot.run(hash, found.id);
    this.drop.run(found.id);
    if (found.artifact !== null) this.artifacts.dropUnnamed(found.artifact);
  }

  private lookUp({ space, instance, name }: RefName): Found | undefined {
    return this.find.get(space, instance, name) as Found | undefined;
  }
}

interface Found {
  readonly id: number;
  readonly roots: string;
  readonly artifact: number | null;
  readonly stored: number;
  readonly expires: number | null;
}

/** Whether two refs of one put name one artifact, in the same words. */
function isSameArtifact(a: RefRow | undefined, b: RefRow): boolean {
  if (a?.artifact === undefined || b.artifact === undefined) return false;
  const { project, element, generation, content } = b.artifact;
  const same = a.artifact.project === project && a.artifact.element === element && a.artifact.generation === generation;
  return (
    same &&
    a.artifact.content === content &&
    a.instance === b.instance &&
    a.stored === b.stored &&
    a.expires === b.expires
  );
}
