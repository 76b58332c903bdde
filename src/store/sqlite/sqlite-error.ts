import { StillageError } from "../../base/errors.ts";

/** Primary result codes of sqlite3.h. */
const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteReadOnly = 8;
const sqliteCannotOpen = 14;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** Whether somebody may not read or write a file that has to be. */
export function isDenied(error: unknown): boolean {
  const { errcode = 0 } = error as { errcode?: number };
  return [sqliteReadOnly, sqliteCannotOpen].includes(errcode & 0xff);
}

/** Translates an error of node:sqlite where it enters: `what` says what was being done. */
export function fromSqlite(error: unknown, what: string): StillageError {
  if (error instanceof StillageError) return error;
  const { errcode = 0, message = String(error) } = error as { errcode?: number; message?: string };
  const code = errcode & 0xff;
  if (code === sqliteFull) return new StillageError("exhausted", `${what}: the disk is full`, { cause: error });
  if (code === sqliteCorrupt || code === sqliteNotADatabase) {
    return new StillageError("corrupt", `${what}: the file is damaged or no database`, { cause: error });
  }
  if (code === sqliteBusy) {
    return new StillageError("unavailable", `${what}: another process has been writing to it for long`, {
      cause: error,
    });
  }
  return new StillageError("internal", `${what}: ${message}`, { cause: error });
}
