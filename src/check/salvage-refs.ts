import { constants, copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import { fitsList } from "../store/artifact-refs.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../store/disk/file-io.ts";
import { ArtifactTables } from "../store/sqlite/artifact-tables.ts";
import { artifactOfFirstFormat } from "../store/sqlite/format-1.ts";
import { openDatabase } from "../store/sqlite/open-database.ts";
import { decodeRoots, hashesIn } from "../store/sqlite/root-lines.ts";
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

/** The new file once it is whole, until it has its name. */
const ready = (file: string): string => `${file}.salvaged`;

/**
 * Takes every ref that can be read to a new file, with the tables that follow from them made anew, and puts it in the place of the old one, which stays
 * as `refs.sqlite.damaged-TIME`, with its journal. A crash leaves the old file as it was, but for its header and what SQLite takes from the journal, and
 * whole copies of both; or the new one under a name of its own, which the next repair puts in place.
 */
export async function salvageRefs(file: string, clock: Clock): Promise<Salvage> {
  const old = `${file}.damaged-${new Date(clock()).toISOString().replaceAll(/[-:]/g, "")}`;
  for (const ending of ["", "-wal"]) {
    if (existsSync(file + ending)) copyFileSync(file + ending, old + ending, constants.COPYFILE_FICLONE);
  }
  mendHeader(file);
  const fresh = `${file}.new`;
  for (const ending of ["", "-wal", "-shm"]) rmSync(fresh + ending, { force: true });
  const result = copyRows(file, fresh);
  await sync(fresh);
  renameSync(fresh, ready(file));
  await syncDirectory(dirname(file));
  await finishSalvage(file);
  return { ...result, old: basename(old) };
}

/** Puts a new file that is whole in place, unless the old one was written to since. */
export async function finishSalvage(file: string): Promise<void> {
  const from = ready(file);
  if (!existsSync(from)) return;
  if (existsSync(file) && statSync(file).mtimeMs > statSync(from).mtimeMs) return rmSync(from);
  // The old journal must not be taken for the new file's.
  for (const ending of ["-wal", "-shm"]) rmSync(file + ending, { force: true });
  renameSync(from, file);
  await syncDirectory(dirname(file));
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
  private readonly addRoot;
  private readonly artifacts: ArtifactTables;

  constructor(target: DatabaseSync) {
    this.target = target;
    this.columns = target
      .prepare("SELECT name FROM pragma_table_info('refs')")
      .all()
      .map(({ name }) => String(name));
    const places = this.columns.map(() => "?").join(", ");
    this.insert = target.prepare(`INSERT INTO refs (${this.columns.join(", ")}) VALUES (${places}) RETURNING id`);
    this.hasName = target.prepare("SELECT 1 FROM refs WHERE space = ? AND instance = ? AND name = ?");
    this.hasId = target.prepare("SELECT 1 FROM refs WHERE id = ?");
    this.addRoot = target.prepare("INSERT OR IGNORE INTO roots (hash, ref) VALUES (?, ?)");
    this.artifacts = new ArtifactTables(target);
    target.exec("BEGIN");
  }

  add(row: SalvagedRow): void {
    let roots: Buffer[];
    try {
      decodeRoots(row.roots);
      roots = hashesIn(row.roots);
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
    const put = this.insert.get(...this.columns.map((column) => values[column] ?? null));
    for (const hash of roots) this.addRoot.run(hash, Number(put?.id));
    if (++this.count % inTransaction === 0) this.target.exec("COMMIT; BEGIN");
  }

  end(): void {
    this.target.exec("COMMIT");
  }
}

async function sync(file: string): Promise<void> {
  const fd = await openFile(file, "r+");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}
