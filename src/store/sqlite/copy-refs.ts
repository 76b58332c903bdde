import { rm } from "node:fs/promises";
import { backup, type DatabaseSync } from "node:sqlite";
import { Slices } from "../../base/slices.ts";
import type { RefName } from "../ref-store.ts";
import { openToChange, openToRead } from "./open-database.ts";
import { RefTables } from "./ref-tables.ts";
import { fromSqlite } from "./sqlite-error.ts";

/** Pages that are copied between two reports, of 4 KiB each: some ten milliseconds. */
const stepPages = 2000;

/** Refs that are looked up, and taken out, at a time. */
const pageRefs = 1000;

/**
 * Copies the refs as they are at one moment of the call, beside the server that writes them, to a file that is not there or is replaced. A crash leaves a
 * part of it. Errors: `failed-precondition`, `corrupt`, `exhausted`, and the signal's reason.
 */
export async function copyRefs(
  file: string,
  target: string,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<void> {
  const source = openBeside(file);
  try {
    for (const ending of ["", "-wal", "-shm", "-journal"]) await rm(target + ending, { force: true });
    // What this reads stays as it is now, whoever writes; else each write would have the copy begin anew.
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM counts").get();
    await backup(source, target, {
      rate: stepPages,
      progress: ({ totalPages, remainingPages }) => {
        onProgress(1 - remainingPages / Math.max(1, totalPages));
        signal.throwIfAborted();
      },
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fromSqlite(error, `cannot copy ${file}`);
  } finally {
    source.close();
  }
}

/** Takes those refs out of a copy that are no longer in the file that it is of; returns how many stay and how many went. Errors: as above. */
export async function dropGone(
  copy: string,
  file: string,
  signal: AbortSignal,
): Promise<{ readonly refs: number; readonly dropped: number }> {
  const ours = openToChange(copy);
  try {
    const theirs = openBeside(file);
    try {
      return await dropFrom(ours, theirs, signal);
    } finally {
      theirs.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fromSqlite(error, `cannot compare ${copy} with ${file}`);
  } finally {
    ours.close();
  }
}

async function dropFrom(
  ours: DatabaseSync,
  theirs: DatabaseSync,
  signal: AbortSignal,
): Promise<{ refs: number; dropped: number }> {
  // A backup is opened by whoever restores it: one file, without a journal.
  ours.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL");
  const page = ours.prepare(`SELECT id, space, instance, name FROM refs WHERE id > ? ORDER BY id LIMIT ${pageRefs}`);
  const there = theirs.prepare("SELECT 1 FROM refs WHERE space = ? AND instance = ? AND name = ?");
  const tables = new RefTables(ours);
  const slices = new Slices();
  let [refs, dropped, last] = [0, 0, Number.MIN_SAFE_INTEGER];
  for (;;) {
    const rows = page.all(last) as unknown as (RefName & { readonly id: number })[];
    const gone = rows.filter(({ space, instance, name }) => there.get(space, instance, name) === undefined);
    if (gone.length > 0) tables.apply(gone.map((name) => ({ kind: "remove", name })));
    last = rows.at(-1)?.id ?? last;
    refs += rows.length - gone.length;
    dropped += gone.length;
    if (rows.length < pageRefs) return { refs, dropped };
    if (slices.over) await slices.rest();
    signal.throwIfAborted();
  }
}

/**
 * Opens the refs of a store whose server may run, start or stop meanwhile. Not as one who only reads: he would leave a journal behind where nobody else
 * had one, or would have to trust that nobody begins to write.
 */
function openBeside(file: string): DatabaseSync {
  const database = openToChange(file);
  database.exec("PRAGMA query_only = ON");
  return database;
}

/** Whether a file is a whole database of refs. Errors: `corrupt`, and as `openToRead`. */
export function checkRefs(file: string, quick: boolean): number {
  const database = openToRead(file);
  try {
    const [first] = database.prepare(quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)").all();
    const said = String(Object.values(first ?? {})[0]);
    if (said !== "ok") throw Object.assign(new Error(said), { errcode: 11 });
    return Object.values(database.prepare("SELECT total(refs) FROM counts").get() ?? {})[0] as number;
  } catch (error) {
    throw fromSqlite(error, `cannot use ${file}`);
  } finally {
    database.close();
  }
}
