import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ArtifactRow, RefRow } from "./ref-change.ts";

/**
 * Keeps the list of artifacts in step with the refs that name them, within the transaction that changes those: an element for each
 * project and element in use, and an artifact for each content of one, to which its refs lead. The last ref takes its artifact with it, and
 * the last artifact its element.
 */
export class ArtifactTables {
  private readonly findElement: StatementSync;
  private readonly addElement: StatementSync;
  private readonly dropElement: StatementSync;
  private readonly upsert: StatementSync;
  private readonly dropArtifact: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.findElement = prepare("SELECT id FROM elements WHERE instance = ? AND project = ? AND element = ?");
    this.addElement = prepare("INSERT INTO elements (instance, project, element) VALUES (?, ?, ?) RETURNING id");
    this.dropElement = prepare(`
      DELETE FROM elements WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM artifacts WHERE element = ?1)`);
    this.upsert = prepare(`
      INSERT INTO artifacts (instance, element, generation, content, pushed, put_by, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT DO UPDATE SET pushed = max(pushed, ?5), put_by = ?6, expires = ?7
      RETURNING id`);
    this.dropArtifact = prepare(`
      DELETE FROM artifacts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM refs WHERE artifact = ?1)
      RETURNING element`);
  }

  /** Lists an artifact, and returns its id for the ref that names it. */
  add({ instance, stored, expires, by }: RefRow, artifact: ArtifactRow): number {
    const { project, element, generation, content } = artifact;
    const found = this.findElement.get(instance, project, element) ?? this.addElement.get(instance, project, element);
    const elementId = first(found) as number;
    return first(this.upsert.get(instance, elementId, generation, content, stored, by, expires)) as number;
  }

  /** Takes an artifact from the list unless another ref names it. */
  dropUnnamed(artifact: number): void {
    const element = first(this.dropArtifact.get(artifact));
    if (element !== undefined) this.dropElement.run(element);
  }
}

/** The one column of a row; `undefined` where there is none. */
function first(row: unknown): number | undefined {
  return (row as [number] | undefined)?.[0];
}
