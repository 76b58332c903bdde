import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { asStillageError } from "../base/errors.ts";
import { numberOf, openDatabase, openToRead } from "../store/sqlite/open-database.ts";
import { decodeRoots } from "../store/sqlite/root-lines.ts";
import { applicationId, formatVersion } from "../store/sqlite/schema.ts";
import { type CheckContext, found } from "./check-context.ts";
import type { Finding, FindingKind } from "./findings.ts";
import { salvageRefs } from "./salvage-refs.ts";

export const refsFile = "refs.sqlite";

/** Lines of SQLite's own check that are told. */
const shownErrors = 5;

/** Reads all of the names and what follows from them; where that is wanted and anything is wrong, they are taken to a new file. False where they cannot be read. */
export async function checkRefs(context: CheckContext, hasBlobs: boolean): Promise<boolean> {
  const { store, repair, findings } = context;
  const file = join(store, refsFile);
  if (!existsSync(file)) {
    if (!hasBlobs) return false;
    const finding = found(context, "refs-missing", file, "there is no such file");
    if (repair) {
      openDatabase(file).close();
      findings.repaired([finding]);
    }
    return repair;
  }
  const wrong = lookAt(context, file);
  if (wrong.length === 0) return true;
  if (wrong.some(({ kind }) => kind === "refs-unknown" || kind === "refs-old")) return false;
  if (!repair) return wrong.every(({ kind }) => kind === "refs-derived");
  const salvaged = await salvageRefs(file, context.clock);
  if (salvaged.lost.length > 0) {
    const names = salvaged.lost
      .slice(0, shownErrors)
      .map((name) => JSON.stringify(name))
      .join(", ");
    findings.add("refs-lost", salvaged.old, `${salvaged.lost.length} names, of which ${names}`);
  }
  findings.repaired(wrong);
  context.tally.refs = salvaged.refs;
  return true;
}

/** What is wrong with the file. */
function lookAt(context: CheckContext, file: string): Finding[] {
  let database: DatabaseSync;
  try {
    database = openToRead(file);
  } catch (error) {
    return [found(context, whyClosed(file), file, asStillageError(error).message)];
  }
  try {
    const errors = database
      .prepare("PRAGMA integrity_check(100)")
      .all()
      .map((row) => String(row.integrity_check));
    if (errors.length !== 1 || errors[0] !== "ok") {
      return [found(context, "refs-damaged", file, errors.slice(0, shownErrors).join("; "))];
    }
    return [...checkRows(context, database), ...checkDerived(context, database, file)];
  } catch (error) {
    return [found(context, "refs-damaged", file, (error as Error).message)];
  } finally {
    database.close();
  }
}

/** Formats that a later version may have; a number beyond that is damage. */
const maxFormat = 1000;

/** Why a file of names cannot be opened: it is of another format, or damaged. A mark that is not ours is damage: nothing else puts a file of this name here. */
function whyClosed(file: string): FindingKind {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    if (numberOf(database, "PRAGMA application_id") !== applicationId) return "refs-damaged";
    const format = numberOf(database, "PRAGMA user_version");
    if (format > formatVersion && format <= maxFormat) return "refs-unknown";
    const has = (name: string): boolean =>
      numberOf(database as DatabaseSync, `SELECT count(*) FROM sqlite_schema WHERE name = '${name}'`) > 0;
    const isOld = format === 3 ? has("roots") : format > 0 && format < formatVersion && !has("refs_by_use");
    return isOld ? "refs-old" : "refs-damaged";
  } catch {
    return "refs-damaged";
  } finally {
    database?.close();
  }
}

function checkRows(context: CheckContext, database: DatabaseSync): Finding[] {
  const findings: Finding[] = [];
  for (const row of database.prepare("SELECT space, instance, name, roots FROM refs").iterate()) {
    context.tally.refs++;
    try {
      decodeRoots(String(row.roots));
    } catch (error) {
      const name = JSON.stringify(`${row.space} ${row.instance} ${row.name}`);
      findings.push(context.findings.add("ref-unreadable", name, (error as Error).message));
    }
  }
  return findings;
}

/** What follows from `refs` in one statement each: rows mean that something does not agree. */
const derivations: readonly (readonly [sql: string, what: string])[] = [
  [
    `SELECT 1 FROM (SELECT space, instance, pinned, count(*) AS n FROM refs GROUP BY space, instance, pinned) AS a
     FULL JOIN (SELECT space, instance, pinned, refs AS n FROM counts WHERE refs <> 0) AS b
     ON a.space = b.space AND a.instance = b.instance AND a.pinned = b.pinned WHERE a.n IS NOT b.n`,
    "the numbers of refs are not right",
  ],
  [
    "SELECT 1 FROM refs WHERE artifact IS NOT NULL AND artifact NOT IN (SELECT id FROM artifacts)",
    "refs lead to artifacts that are not listed",
  ],
  [
    "SELECT 1 FROM artifacts WHERE id NOT IN (SELECT artifact FROM refs WHERE artifact IS NOT NULL)",
    "artifacts are listed that no ref names",
  ],
  [
    "SELECT 1 FROM artifacts WHERE element NOT IN (SELECT id FROM elements)",
    "artifacts are of elements that are not listed",
  ],
  [
    "SELECT 1 FROM elements WHERE id NOT IN (SELECT element FROM artifacts)",
    "elements are listed that have no artifacts",
  ],
];

function checkDerived(context: CheckContext, database: DatabaseSync, file: string): Finding[] {
  return derivations
    .filter(([sql]) => database.prepare(`${sql} LIMIT 1`).get() !== undefined)
    .map(([, what]) => found(context, "refs-derived", file, what));
}
