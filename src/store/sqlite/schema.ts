import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StillageError } from "../../base/errors.ts";
import { fromSqlite, isDenied } from "./sqlite-error.ts";

/** The version of the tables below. Raised when a reader of the one before could not read them. */
export const formatVersion = 2;

/** Tells the file apart from other programs' databases: "Stil". */
const applicationId = 0x5374696c;

/** What a connection waits for another one, which only happens when they open or close. */
const busyTimeoutMs = 5000;

// Times are milliseconds since 1970. `roots` has a line for each root, `walk function hash size`, the first for what the ref is about.
// The table `roots` leads back, from the bytes of a hash to the refs that keep it. The last two tables list the artifacts that refs name
// (`artifact-tables.ts`).
const tables = `
  CREATE TABLE refs (
    id INTEGER PRIMARY KEY,
    space TEXT NOT NULL,
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    message BLOB NOT NULL,
    roots TEXT NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER,
    put_by TEXT,
    artifact INTEGER,
    key TEXT,
    place INTEGER,
    UNIQUE (space, instance, name)
  ) STRICT;
  CREATE INDEX refs_of_artifact ON refs (artifact, stored, place, expires) WHERE artifact IS NOT NULL;
  CREATE INDEX refs_by_key ON refs (instance, substr(key, 1, 8)) WHERE key IS NOT NULL;
  CREATE TABLE roots (
    hash BLOB NOT NULL,
    ref INTEGER NOT NULL,
    PRIMARY KEY (hash, ref)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counts (
    space TEXT PRIMARY KEY,
    refs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER count_new AFTER INSERT ON refs BEGIN
    INSERT INTO counts VALUES (new.space, 1) ON CONFLICT DO UPDATE SET refs = refs + 1;
  END;
  CREATE TRIGGER count_removed AFTER DELETE ON refs BEGIN
    UPDATE counts SET refs = refs - 1 WHERE space = old.space;
  END;
  CREATE TABLE elements (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    project TEXT NOT NULL,
    element TEXT NOT NULL,
    UNIQUE (instance, project, element)
  ) STRICT;
  CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    element INTEGER NOT NULL,
    generation TEXT NOT NULL,
    content TEXT NOT NULL,
    pushed INTEGER NOT NULL,
    put_by TEXT,
    expires INTEGER,
    UNIQUE (element, content, generation)
  ) STRICT;
  CREATE INDEX artifacts_by_time ON artifacts (instance, pushed);
`;

/** Opens the file, and makes it where there is none. Errors: `failed-precondition` for a format that is not known here, `corrupt`. */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    prepare(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw fromSqlite(error, `cannot open ${file}`);
  }
}

/** Opens the file for reading alone, also while a server writes to it. Errors: `failed-precondition`, `corrupt`, `internal`. */
export function openToRead(file: string): DatabaseSync {
  if (!existsSync(file)) throw new StillageError("failed-precondition", `there is no ${file}`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(readable(file), { timeout: busyTimeoutMs, readOnly: true });
    if (isFresh(database)) throw new StillageError("failed-precondition", `${file} is empty`);
    checkFormat(database, file);
    return database;
  } catch (error) {
    database?.close();
    if (!isDenied(error)) throw fromSqlite(error, `cannot open ${file}`);
    throw new StillageError("failed-precondition", `this user may not read ${file}, or not write beside it`, {
      cause: error,
      hint: "read it as the user that the server runs as: SQLite's readers note in a file where they are in the journal",
    });
  }
}

/**
 * Where there is no journal, no server runs, and SQLite is told that nobody writes: then it makes no files of its own. A server that starts meanwhile
 * changes the file no sooner than its journal has grown.
 */
function readable(file: string): string | URL {
  if (existsSync(`${file}-wal`)) return file;
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  return url;
}

function prepare(database: DatabaseSync, file: string): void {
  const fresh = isFresh(database);
  if (!fresh) checkFormat(database, file);
  database.exec("PRAGMA journal_mode = WAL");
  if (!fresh) return;
  // All in one transaction: a crash leaves an empty file or a whole one.
  database.exec(
    `BEGIN; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}; COMMIT`,
  );
}

function isFresh(database: DatabaseSync): boolean {
  return (
    numberOf(database, "PRAGMA user_version") === 0 && numberOf(database, "SELECT count(*) FROM sqlite_schema") === 0
  );
}

function checkFormat(database: DatabaseSync, file: string): void {
  if (numberOf(database, "PRAGMA application_id") !== applicationId) {
    throw new StillageError("failed-precondition", `${file} is a database, but not one of Stillage's`);
  }
  const version = numberOf(database, "PRAGMA user_version");
  if (version === formatVersion) return;
  throw new StillageError(
    "failed-precondition",
    `${file} has format ${version}, and this version of Stillage knows only format ${formatVersion}`,
    { hint: `run the version of Stillage that wrote it${version > formatVersion ? ", or a later one" : ""}` },
  );
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Object.values(database.prepare(sql).get() ?? {})[0] as number;
}
