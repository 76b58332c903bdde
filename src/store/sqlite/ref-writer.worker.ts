// The thread that writes refs: one transaction, so one wait for the disk, for each batch that it is given.
import { parentPort, workerData } from "node:worker_threads";
import { asStillageError } from "../../base/errors.ts";
import type { RefChange, RefOutcome } from "./ref-change.ts";
import { RefTables } from "./ref-tables.ts";
import { openDatabase } from "./schema.ts";
import { fromSqlite } from "./sqlite-error.ts";

const { file, synchronous } = workerData as { file: string; synchronous: string };
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");

const database = openDatabase(file);
database.exec(`PRAGMA synchronous = ${synchronous}`);
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
    tables.apply(changes);
    return { done: true };
  } catch (error) {
    const { code, message } = asStillageError(fromSqlite(error, `cannot write ${file}`));
    return { done: false, code: code === "exhausted" || code === "corrupt" ? code : "internal", message };
  }
}
