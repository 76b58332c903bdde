// The thread that writes refs: one transaction, so one wait for the disk, for each batch that it is given.
import { parentPort, workerData } from "node:worker_threads";
import { asStillageError } from "../../base/errors.ts";
import { openDatabase } from "./open-database.ts";
import { failureCodes, type RefChange, type RefOutcome } from "./ref-change.ts";
import { RefTables } from "./ref-tables.ts";
import { fromSqlite } from "./sqlite-error.ts";

/** What the journal may keep of its size once all of it is in the database: a long reader makes it larger for a while. */
const journalSizeLimit = 64 << 20;

const { file, synchronous } = workerData as { file: string; synchronous: string };
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");

const database = openDatabase(file);
database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = ${journalSizeLimit}`);
const tables = new RefTables(database);

port.on("message", (changes: readonly RefChange[] | "close") => {
  if (changes === "close") {
    database.close();
    port.close();
    return;
  }
  port.postMessage(apply(changes));
});

function apply(changes: readonly RefChange[]): RefOutcome {
  try {
    return { done: true, ...tables.apply(changes) };
  } catch (error) {
    const { code, message } = asStillageError(fromSqlite(error, `cannot write ${file}`));
    return { done: false, code: failureCodes.find((each) => each === code) ?? "internal", message };
  }
}
