import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StillageError } from "../../base/errors.ts";
import { applicationId, formatVersion, tables } from "./schema.ts";
import { fromSqlite, isDenied } from "./sqlite-error.ts";

/** What a connection waits for another one: the server for who pins refs, and he for it. Either takes some milliseconds. */
const busyTimeoutMs = 5000;

/**
 * Opens the file, and makes it where there is none. One of an older format is handed to `migrate`. Errors: `failed-precondition` for a format that is not
 * known here, or an older one without `migrate`; `corrupt`.
 */
export function openDatabase(file: string, migrate?: (database: DatabaseSync) => void): DatabaseSync {
  return opened(
    file,
    () => new DatabaseSync(file, { timeout: busyTimeoutMs }),
    (database) => {
      const fresh = isFresh(database);
      if (!fresh && formatOf(database, file) < formatVersion && migrate !== undefined) migrate(database);
      if (!fresh) checkFormat(database, file);
      database.exec("PRAGMA journal_mode = WAL");
      // All in one transaction: a crash leaves an empty file or a whole one.
      if (fresh) {
        database.exec(
          `BEGIN; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}; COMMIT`,
        );
      }
    },
  );
}

/** Opens a file that is there to change something in it, also beside a server. Errors: `failed-precondition`, `corrupt`, `internal`. */
export function openToChange(file: string): DatabaseSync {
  checkThere(file);
  return opened(
    file,
    () => new DatabaseSync(file, { timeout: busyTimeoutMs }),
    (database) => {
      if (isFresh(database)) throw empty(file);
      checkFormat(database, file);
    },
  );
}

/** Opens a file of any known format that no server has, for a migration. Errors: as above. */
export function openToMigrate(file: string): DatabaseSync {
  checkThere(file);
  return opened(
    file,
    () => new DatabaseSync(file, { timeout: busyTimeoutMs }),
    (database) => {
      if (isFresh(database)) throw empty(file);
      if (formatOf(database, file) > formatVersion) checkFormat(database, file);
    },
  );
}

/** Opens the file for reading alone, also while a server writes to it. Errors: `failed-precondition`, `corrupt`, `internal`. */
export function openToRead(file: string): DatabaseSync {
  checkThere(file);
  return openReadOnly(file, readable(file));
}

/** Opens the file for reading in the process that writes to it. Errors: as `openToRead`. */
export function openBeside(file: string): DatabaseSync {
  return openReadOnly(file, file);
}

/** The version of the tables. Errors: `failed-precondition` for another program's database. */
export function formatOf(database: DatabaseSync, file: string): number {
  if (numberOf(database, "PRAGMA application_id") !== applicationId) {
    throw new StillageError("failed-precondition", `${file} is a database, but not one of Stillage's`);
  }
  return numberOf(database, "PRAGMA user_version");
}

/** The first column of the first row. */
export function numberOf(database: DatabaseSync, sql: string): number {
  return Object.values(database.prepare(sql).get() ?? {})[0] as number;
}

function openReadOnly(file: string, path: string | URL): DatabaseSync {
  return opened(
    file,
    () => new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true }),
    (database) => {
      if (isFresh(database)) throw empty(file);
      checkFormat(database, file);
    },
  );
}

/** Opens and prepares; translates what goes wrong, and leaves nothing open then. */
function opened(file: string, open: () => DatabaseSync, prepare: (database: DatabaseSync) => void): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = open();
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    if (!isDenied(error)) throw fromSqlite(error, `cannot open ${file}`);
    throw denied(file, error);
  }
}

function denied(file: string, cause: unknown): StillageError {
  if (!existsSync(file)) return new StillageError("internal", `cannot open ${file}: it cannot be made`, { cause });
  return new StillageError("failed-precondition", `this user may not read ${file}, or not write beside it`, {
    cause,
    hint: "do it as the user that the server runs as: SQLite's readers note in a file where they are in the journal",
  });
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

function checkThere(file: string): void {
  if (!existsSync(file)) throw new StillageError("failed-precondition", `there is no ${file}`);
}

function empty(file: string): StillageError {
  return new StillageError("failed-precondition", `${file} is empty`);
}

function isFresh(database: DatabaseSync): boolean {
  return (
    numberOf(database, "PRAGMA user_version") === 0 && numberOf(database, "SELECT count(*) FROM sqlite_schema") === 0
  );
}

function checkFormat(database: DatabaseSync, file: string): void {
  const version = formatOf(database, file);
  if (version === formatVersion) return;
  if (version > 0 && version < formatVersion) {
    throw new StillageError(
      "failed-precondition",
      `${file} has format ${version} of an older version of Stillage, which \`stillage store migrate\` and every start of the server bring to format ${formatVersion}`,
    );
  }
  throw new StillageError(
    "failed-precondition",
    `${file} has format ${version}, and this version of Stillage knows only those up to format ${formatVersion}`,
    { hint: "run the version of Stillage that wrote it, or a later one" },
  );
}
