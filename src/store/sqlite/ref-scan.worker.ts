// The thread that reads all refs, or all of a kind, once, and ends.
import { parentPort, workerData } from "node:worker_threads";
import { asStillageError } from "../../base/errors.ts";
import { packScanned } from "./listing-scan.ts";
import { openBeside } from "./open-database.ts";
import { scanRefs } from "./ref-scan.ts";
import type { ScanTask } from "./run-scan.ts";
import { fromSqlite } from "./sqlite-error.ts";

const { file, listing } = workerData as ScanTask;
const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");

try {
  const database = openBeside(file);
  try {
    if (listing === undefined) {
      const scanned = scanRefs(database);
      const { ids, used, expires, kind } = scanned;
      port.postMessage(scanned, [ids.buffer, used.buffer, expires.buffer, kind.buffer]);
    } else {
      const packed = packScanned(database, listing.kind, listing.now);
      port.postMessage(packed, [packed.bytes.buffer, packed.ends.buffer, packed.expires.buffer]);
    }
  } finally {
    database.close();
  }
} catch (error) {
  const { code, message } = asStillageError(fromSqlite(error, `cannot read ${file}`));
  port.postMessage({ code, message });
}
