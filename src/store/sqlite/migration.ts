import type { DatabaseSync } from "node:sqlite";
import { fitsList } from "../artifact-refs.ts";
import type { Space } from "../ref-store.ts";
import { ArtifactTables } from "./artifact-tables.ts";
import { artifactOfFirstFormat } from "./format-1.ts";
import { numberOf } from "./open-database.ts";
import { artifactTables, countTable, formatVersion, refIndexes, useIndex } from "./schema.ts";

/** How far a migration is. */
export interface MigrationProgress {
  readonly doing: "listing artifacts" | "making indexes" | "dropping a table";
  /** Refs, of all. */
  readonly done: number;
  readonly refs: number;
}

/** Refs between two reports: some ten milliseconds. */
const pageRefs = 1000;

/**
 * Brings tables of an older format to the present one, step by step. All of it is one transaction: a crash, or an end before the last step, leaves the
 * old format. Where there is nothing to do, nothing is done.
 */
export function* migrate(database: DatabaseSync): Generator<MigrationProgress, void> {
  database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
  try {
    const format = numberOf(database, "PRAGMA user_version");
    if (format < formatVersion) {
      const refs = numberOf(database, "SELECT count(*) FROM refs");
      if (format < 3) yield* bringToThird(database, refs);
      yield { doing: "dropping a table", done: refs, refs };
      database.exec(`DROP TABLE roots; PRAGMA user_version = ${formatVersion}`);
    }
    database.exec("COMMIT");
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
  // What the journal has of it is the size of the tables.
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Formats 1 and 2 had no index by use, and counted otherwise; the first one had no list of artifacts either. */
function* bringToThird(database: DatabaseSync, refs: number): Generator<MigrationProgress, void> {
  yield { doing: "listing artifacts", done: 0, refs };
  // Of format 2 there was one with tables of its own for artifacts, which had no release.
  if (!columnsOf(database).has("artifact")) yield* listArtifacts(database, refs);
  yield { doing: "making indexes", done: refs, refs };
  database.exec(`
    DROP INDEX IF EXISTS refs_of_artifact; DROP INDEX IF EXISTS refs_by_key; ${refIndexes} ${useIndex}
    DROP TRIGGER count_new; DROP TRIGGER count_removed; DROP TABLE counts; ${countTable}
    INSERT INTO counts SELECT space, instance, pinned, count(*) FROM refs GROUP BY space, instance, pinned`);
}

type Row = [
  id: number,
  space: Space,
  instance: string,
  name: string,
  message: Uint8Array,
  roots: string,
  stored: number,
  expires: number | null,
];

/** Gives refs the columns of format 2, and the artifacts their list. */
function* listArtifacts(database: DatabaseSync, refs: number): Generator<MigrationProgress, void> {
  database.exec("DROP TABLE IF EXISTS artifact_keys; DROP TABLE IF EXISTS artifacts; DROP TABLE IF EXISTS elements");
  const columns = columnsOf(database);
  for (const column of ["put_by TEXT", "artifact INTEGER", "key TEXT", "place INTEGER"]) {
    if (!columns.has(column.split(" ")[0] ?? "")) database.exec(`ALTER TABLE refs ADD COLUMN ${column}`);
  }
  database.exec(`DROP INDEX IF EXISTS refs_of_artifact; DROP INDEX IF EXISTS refs_by_key; ${artifactTables}`);
  const list = new ArtifactTables(database);
  const page = database.prepare(`
    SELECT id, space, instance, name, message, roots, stored, expires FROM refs
    WHERE id > ? AND space IN ('asset', 'reference') ORDER BY id LIMIT ${pageRefs}`);
  page.setReturnArrays(true);
  const set = database.prepare("UPDATE refs SET artifact = ?2, key = ?3, place = 0 WHERE id = ?1");
  const count = database.prepare("SELECT count(*) AS refs FROM refs WHERE id <= ?");
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = page.all(last) as unknown as Row[];
    for (const [id, space, instance, name, message, roots, stored, expires] of rows) {
      last = id;
      const artifact = artifactOfFirstFormat({ space, name, message, roots });
      if (artifact === undefined || !fitsList(artifact)) continue;
      set.run(id, list.add({ instance, stored, expires, by: null }, artifact), artifact.key);
    }
    if (rows.length < pageRefs) return;
    yield { doing: "listing artifacts", done: (count.get(last) as { refs: number }).refs, refs };
  }
}

function columnsOf(database: DatabaseSync): Set<string> {
  return new Set(
    database
      .prepare("PRAGMA table_info(refs)")
      .all()
      .map(({ name }) => String(name)),
  );
}
