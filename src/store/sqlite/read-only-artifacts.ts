import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { ArtifactRefs } from "../artifact-refs.ts";
import type { ListedRef, RefFilter } from "../ref-admin.ts";
import { ArtifactReader } from "./artifact-reader.ts";
import { openToRead } from "./open-database.ts";
import { RefLists } from "./ref-lists.ts";

export interface ReadOnlyArtifacts extends ArtifactRefs {
  /** The instances that have artifacts. */
  instances(): string[];
  close(): void;
}

/**
 * The artifacts that the refs in a file name, to be read beside the server that writes them: SQLite's journal lets readers see what was committed
 * when each began, and nobody waits for them. Errors: `failed-precondition` where there is no such file, or of another format; `corrupt`.
 */
export function openArtifacts(file: string, clock: Clock): ReadOnlyArtifacts {
  return readArtifacts(openToRead(file), clock);
}

/** The same of a database that is open; closing closes that. */
export function readArtifacts(database: DatabaseSync, clock: Clock): ReadOnlyArtifacts {
  const reader = new ArtifactReader(database, clock);
  return {
    list: (query) => reader.list(query),
    find: (instance, name) => reader.find(instance, name),
    projectOf: (instance, name) => reader.projectOf(instance, name),
    count: (instance) => reader.count(instance),
    instances: () => {
      const rows = database.prepare("SELECT DISTINCT instance FROM elements ORDER BY instance").all();
      return rows.map((row) => String(row.instance));
    },
    close: () => database.close(),
  };
}

/** Refs in a file, read while they are iterated, as `RefAdmin.list` says, also beside the server. Errors: as above. */
export function* listRefs(file: string, filter: RefFilter): Generator<ListedRef, void> {
  const database = openToRead(file);
  try {
    yield* new RefLists(file, database).list(filter);
  } finally {
    database.close();
  }
}
