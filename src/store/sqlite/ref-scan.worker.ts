// The thread that puts all refs into their order, once, and ends.
import { parentPort, workerData } from "node:worker_threads";
import { asStillageError } from "../../base/errors.ts";
import { openBeside } from "./open-database.ts";
import { scanRefs } from "./ref-scan.ts";
import { fromSqlite } from "./sqlite-error.ts";

const { file } = workerData as { file: string };
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");

try {
  const database = openBeside(file);
  try {
    const scanned = scanRefs(database);
    const { ids, used, expires, kind } = scanned;
    port.postMessage(scanned, [ids.buffer, used.buffer, expires.buffer, kind.buffer]);
  } finally {
    database.close();
  }
} catch (error) {
  const { code, message } = asStillageError(fromSqlite(error, `cannot read ${file}`));
  port.postMessage({ code, message });
}
