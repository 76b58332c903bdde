import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../../base/log.ts";
import { type MigrationProgress, migrate } from "./migration.ts";
import { formatOf } from "./open-database.ts";
import { formatVersion } from "./schema.ts";

/** Who waits for a start wants to know that often that it goes on. */
const reportEveryMs = 5000;

/** Brings a database to the present format before a server uses it, and says so in the log. */
export function migrateLogged(database: DatabaseSync, file: string, log: Log): void {
  const from = formatOf(database, file);
  const started = performance.now();
  let reported = started;
  let last: MigrationProgress | undefined;
  for (const progress of migrate(database)) {
    last = progress;
    if (performance.now() - reported < reportEveryMs) continue;
    reported = performance.now();
    log.info({ file, ...progress }, "bringing the refs to the present format");
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  log.info({ file, from, to: formatVersion, refs: last?.refs ?? 0, seconds }, "brought the refs to the present format");
}
