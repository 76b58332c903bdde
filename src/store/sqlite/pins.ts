import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import type { RefName } from "../ref-store.ts";
import { openToChange } from "./open-database.ts";
import { type ReadOnlyArtifacts, readArtifacts } from "./read-only-artifacts.ts";
import { fromSqlite } from "./sqlite-error.ts";

/** What is pinned together: a ref, or all refs of the artifact with this number. */
export type Pinned = RefName | { readonly artifact: number };

/** Pins of refs in a store whose server may be running: SQLite lets one write at a time, and its writer looks at pins before it removes refs. */
export interface Pins {
  readonly artifacts: ReadOnlyArtifacts;
  /** Whether there is such a ref. */
  has(name: RefName): boolean;
  /**
   * Pins all of these, or none where it throws, and returns for each how many refs it was. Errors: `not-found` where one is not there any more,
   * `unavailable` where another process writes for long.
   */
  set(pinned: boolean, names: readonly Pinned[]): number[];
  close(): void;
}

/** Opens the file, which has to be there. Errors: `failed-precondition`, `corrupt`, `internal`. */
export function openPins(file: string, clock: Clock): Pins {
  const database = openToChange(file);
  return {
    artifacts: readArtifacts(database, clock),
    has: ({ space, instance, name }) =>
      database
        .prepare("SELECT 1 FROM refs WHERE space = ? AND instance = ? AND name = ?")
        .get(space, instance, name) !== undefined,
    set: (pinned, names) => setPins(database, file, pinned, names),
    close: () => database.close(),
  };
}

/** One short transaction: the server's puts wait for it. A crash leaves all of it or nothing. */
function setPins(database: DatabaseSync, file: string, pinned: boolean, names: readonly Pinned[]): number[] {
  try {
    const ofArtifact = database.prepare("UPDATE refs SET pinned = ? WHERE artifact = ?");
    const named = database.prepare("UPDATE refs SET pinned = ? WHERE space = ? AND instance = ? AND name = ?");
    database.exec("BEGIN IMMEDIATE");
    const value = pinned ? 1 : 0;
    const changes = names.map((each) =>
      Number(
        ("artifact" in each
          ? ofArtifact.run(value, each.artifact)
          : named.run(value, each.space, each.instance, each.name)
        ).changes,
      ),
    );
    const gone = changes.filter((count) => count === 0).length;
    if (gone > 0) {
      throw new StillageError("not-found", `nothing is changed: ${gone} of ${names.length} went meanwhile`, {
        hint: "see what is left with `stillage artifact list`",
      });
    }
    database.exec("COMMIT");
    return changes;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw fromSqlite(error, `cannot write ${file}`);
  }
}
