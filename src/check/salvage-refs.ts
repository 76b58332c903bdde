import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import { fitsList } from "../store/artifact-refs.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../store/disk/file-io.ts";
import { ArtifactTables } from "../store/sqlite/artifact-tables.ts";
import { artifactOfFirstFormat } from "../store/sqlite/format-1.ts";
import { openDatabase } from "../store/sqlite/open-database.ts";
import { decodeRoots } from "../store/sqlite/root-lines.ts";
import { readableRefs, type SalvagedRow } from "./readable-refs.ts";
import { mendHeader } from "./sqlite-header.ts";

export interface Salvage {
  readonly refs: number;
  /** Names that an index has and no row was read for. */
  readonly lost: readonly string[];
  /** Where the old file is now. */
  readonly old: string;
}

/** Rows written in one transaction. */
const inTransaction = 10_000;

/**
 * Takes every ref that can be read to a new file, with the tables that follow from them made anew, and puts it in the place of the old one, which stays
 * as `refs.sqlite.damaged-TIME`, with its journal. A crash before the last step leaves the old file, but for its header and what SQLite takes from the journal, and
 * whole copies of both; what else it leaves is of no use, and the next repair begins anew. Where it fails, as on a full disk, only the old file is left.
 */
export async function salvageRefs(file: string, clock: Clock): Promise<Salvage> {
  const old = `${file}.damaged-${new Date(clock()).toISOString().replaceAll(/[-:]/g, "")}`;
  const fresh = `${file}.new`;
  let replacing = false;
  try {
    await keepCopy(file, old);
    mendHeader(file);
    makeEmpty(fresh, statSync(file).mode);
    const result = copyRows(file, fresh);
    await sync(fresh);
    // The old journal, of which the file has all by now that SQLite could take, must not be held for the new file's.
    replacing = true;
    for (const ending of ["-wal", "-shm"]) rmSync(file + ending, { force: true });
    await syncDirectory(dirname(file));
    renameSync(fresh, file);
    await syncDirectory(dirname(file));
    return { ...result, old: basename(old) };
  } catch (error) {
    if (!replacing) for (const path of [old, `${old}-wal`]) rmSync(path, { force: true });
    for (const ending of endings) rmSync(fresh + ending, { force: true });
    throw error;
  }
}

const endings = ["", "-wal", "-shm", "-journal"];

/** Copies the file and its journal to another name, durably: all of them, or nothing. */
async function keepCopy(file: string, to: string): Promise<void> {
  const parts = ["", "-wal"].filter((ending) => existsSync(file + ending));
  const partial = (ending: string): string => `${file}.damaged.new${ending}`;
  try {
    for (const ending of parts) {
      rmSync(partial(ending), { force: true });
      copyFileSync(file + ending, partial(ending), constants.COPYFILE_FICLONE);
      await sync(partial(ending));
    }
    // The journal first: where there is a copy of the file, it is whole.
    for (const ending of parts.toReversed()) renameSync(partial(ending), to + ending);
    await syncDirectory(dirname(file));
  } catch (error) {
    for (const ending of parts) rmSync(partial(ending), { force: true });
    throw error;
  }
}

/** Makes the new file, for SQLite to fill, with the mode of the old one, which SQLite gives to the journal as well. */
function makeEmpty(file: string, mode: number): void {
  for (const ending of endings) rmSync(file + ending, { force: true });
  const fd = openSync(file, "wx", 0o600);
  try {
    fchmodSync(fd, (mode & 0o777) | 0o600);
  } finally {
    closeSync(fd);
  }
}

function copyRows(from: string, to: string): { refs: number; lost: string[] } {
  const target = openDatabase(to);
  try {
    const source = new DatabaseSync(from);
    try {
      source.exec("PRAGMA cell_size_check = ON");
      checkpoint(source);
      const copy = new RefCopy(target);
      const { rows, lost } = readableRefs(source, from, copy.columns);
      for (const row of rows) copy.add(row);
      copy.end();
      return { refs: copy.count, lost: lost() };
    } finally {
      source.close();
    }
  } finally {
    target.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    target.close();
  }
}

/** Has SQLite take what the journal has into the file, so that it is among its pages. */
function checkpoint(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Then what SQLite itself reads is all that there is.
  }
}

/** Adds rows as they are, and what follows from them. */
class RefCopy {
  count = 0;
  private readonly target: DatabaseSync;
  readonly columns: readonly string[];
  private readonly insert;
  private readonly hasName;
  private readonly hasId;
  private readonly artifacts: ArtifactTables;

  constructor(target: DatabaseSync) {
    this.target = target;
    this.columns = target
      .prepare("SELECT name FROM pragma_table_info('refs')")
      .all()
      .map(({ name }) => String(name));
    const places = this.columns.map(() => "?").join(", ");
    this.insert = target.prepare(`INSERT INTO refs (${this.columns.join(", ")}) VALUES (${places})`);
    this.hasName = target.prepare("SELECT 1 FROM refs WHERE space = ? AND instance = ? AND name = ?");
    this.hasId = target.prepare("SELECT 1 FROM refs WHERE id = ?");
    this.artifacts = new ArtifactTables(target);
    target.exec("BEGIN");
  }

  add(row: SalvagedRow): void {
    try {
      decodeRoots(row.roots);
    } catch {
      return; // it could not be served
    }
    const { space, instance, name } = row;
    if (this.hasName.get(space, instance, name) !== undefined) return;
    const artifact = artifactOfFirstFormat(row);
    const entry = artifact !== undefined && fitsList(artifact) ? artifact : undefined;
    const listed = entry && this.artifacts.add(row, entry);
    const id = this.hasId.get(row.id) === undefined ? row.id : null;
    const values: Record<string, SQLInputValue> = {
      ...row.columns,
      id,
      artifact: listed ?? null,
      key: entry?.key ?? null,
    };
    this.insert.run(...this.columns.map((column) => values[column] ?? null));
    if (++this.count % inTransaction === 0) this.target.exec("COMMIT; BEGIN");
  }

  end(): void {
    this.target.exec("COMMIT");
  }
}

async function sync(file: string): Promise<void> {
  const fd = await openFile(file, "r");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}
