import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ArtifactRow, RefRow } from "./ref-change.ts";

/**
 * Keeps the list of artifacts in step with the refs that name them, within the transaction that changes those: an element for each
 * project and element in use, and an artifact for each content of one, to which its refs lead. The last ref takes its artifact with it, and
 * the last artifact its element. It was pushed when the last of its refs was, and expires with the last of them.
 */
export class ArtifactTables {
  private readonly findElement: StatementSync;
  private readonly addElement: StatementSync;
  private readonly dropElement: StatementSync;
  private readonly upsert: StatementSync;
  private readonly dropArtifact: StatementSync;
  private readonly recompute: StatementSync;

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
      ON CONFLICT DO UPDATE SET pushed = max(pushed, ?5), put_by = CASE WHEN ?5 >= pushed THEN ?6 ELSE put_by END,
        expires = CASE WHEN ?7 IS NOT NULL THEN max(expires, ?7) END
      RETURNING id`);
    this.dropArtifact = prepare(`
      DELETE FROM artifacts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM refs WHERE artifact = ?1)
      RETURNING element`);
    this.recompute = prepare(`
      UPDATE artifacts SET (pushed, put_by) =
          (SELECT stored, put_by FROM refs WHERE artifact = ?1 ORDER BY stored DESC, place DESC, id DESC LIMIT 1),
        expires = CASE WHEN NOT EXISTS (SELECT 1 FROM refs WHERE artifact = ?1 AND expires IS NULL)
          THEN (SELECT max(expires) FROM refs WHERE artifact = ?1) END
      WHERE id = ?1`);
  }

  /** Lists an artifact, and returns its id for the ref that names it. */
  add({ instance, stored, expires, by }: Pusher, artifact: ArtifactRow): number {
    const { project, element, generation, content } = artifact;
    const found = this.findElement.get(instance, project, element) ?? this.addElement.get(instance, project, element);
    const elementId = first(found) as number;
    return first(this.upsert.get(instance, elementId, generation, content, stored, by, expires)) as number;
  }

  /** Takes an artifact that has lost a ref from the list, unless another one names it: then what the list says is that one's. */
  dropUnnamed(artifact: number): void {
    const element = first(this.dropArtifact.get(artifact));
    if (element !== undefined) this.dropElement.run(element);
    else this.refresh(artifact);
  }

  /** Sets when an artifact was pushed, by whom, and when it expires, to what its refs say. */
  refresh(artifact: number): void {
    this.recompute.run(artifact);
  }
}

/** What a ref says of the push of its artifact. */
type Pusher = Pick<RefRow, "instance" | "stored" | "expires" | "by">;

/** The one column of a row; `undefined` where there is none. */
function first(row: unknown): number | undefined {
  return (row as [number] | undefined)?.[0];
}
