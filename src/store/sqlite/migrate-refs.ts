import { setImmediate as turn } from "node:timers/promises";
import { type MigrationProgress, migrate } from "./migration.ts";
import { formatOf, openToMigrate } from "./open-database.ts";
import { formatVersion } from "./schema.ts";
import { fromSqlite } from "./sqlite-error.ts";

export interface Migrated {
  /** The formats before and after; the same where there was nothing to do. */
  readonly from: number;
  readonly to: number;
  readonly refs: number;
}

/**
 * Brings the refs in a file, which no other process has open, to the present format; all or nothing, as `migrate` says. Errors: `failed-precondition`,
 * `corrupt`, `exhausted`, and the signal's reason: the old format is left then.
 */
export async function migrateRefs(
  file: string,
  signal: AbortSignal,
  onProgress: (progress: MigrationProgress) => void,
): Promise<Migrated> {
  const database = openToMigrate(file);
  try {
    const from = formatOf(database, file);
    let refs = 0;
    for (const progress of migrate(database)) {
      refs = progress.refs;
      onProgress(progress);
      await turn();
      signal.throwIfAborted();
    }
    return { from, to: formatVersion, refs };
  } catch (error) {
    if (signal.aborted) throw error;
    throw fromSqlite(error, `cannot bring ${file} to the present format`);
  } finally {
    database.close();
  }
}
