import { constants, copyFileSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { artifactOfAsset, entryOf } from "../cache/artifact-ref-name.ts";
import { type ArtifactEntry, listable } from "../store/artifact-refs.ts";
import { closeFile, openFile, syncData, syncDirectory } from "../store/disk/file-io.ts";
import { ArtifactTables } from "../store/sqlite/artifact-tables.ts";
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
      const copy = new RefCopy(target);
      const { rows, lost } = readableRefs(source);
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

/** Adds rows as they are, and what follows from them. */
class RefCopy {
  count = 0;
  private readonly target: DatabaseSync;
  private readonly columns: readonly string[];
  private readonly insert;
  private readonly addRoot;
  private readonly artifacts: ArtifactTables;

  constructor(target: DatabaseSync) {
    this.target = target;
    this.columns = target
      .prepare("SELECT name FROM pragma_table_info('refs')")
      .all()
      .map(({ name }) => String(name));
    const places = this.columns.map(() => "?").join(", ");
    this.insert = target.prepare(
      `INSERT INTO refs (${this.columns.join(", ")}) VALUES (${places}) ON CONFLICT DO NOTHING`,
    );
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
    const entry = artifactOf(row);
    const listed = entry && this.list(row, entry);
    const values: Record<string, SQLInputValue> = { ...row.columns, artifact: listed ?? null, key: entry?.key ?? null };
    const { changes } = this.insert.run(...this.columns.map((column) => values[column] ?? null));
    if (Number(changes) === 0) return;
    for (const hash of roots) this.addRoot.run(hash, row.id);
    if (++this.count % inTransaction === 0) this.target.exec("COMMIT; BEGIN");
  }

  end(): void {
    this.target.exec("COMMIT");
  }

  private list(row: SalvagedRow, { project, element, key, generation, content }: ArtifactEntry): number {
    const text = `${content.function.name} ${content.hash} ${content.size}`;
    const { space, instance, name, message, roots, stored, expires, by } = row;
    const ref = { space, instance, name, message, roots, stored, expires, by, artifact: undefined };
    return this.artifacts.add(ref, { project, element, key, generation, content: text });
  }
}

/** The artifact that a ref names, by the rules by which it was put. */
function artifactOf({ space, name, roots, message }: SalvagedRow): ArtifactEntry | undefined {
  const at = name.indexOf("\n");
  const [kind, rest] = [name.slice(0, at), name.slice(at + 1)];
  if (at < 0 || rest.includes("\n")) return undefined;
  if (space === "reference") {
    return kind === "artifact" ? listable(entryOf(rest, "1.9x", digestOf(sha256, message))) : undefined;
  }
  const content = decodeRoots(roots)[0]?.digest;
  if (space !== "asset" || content === undefined || (kind !== "blob" && kind !== "directory")) return undefined;
  return listable(artifactOfAsset(kind, rest, content));
}

async function sync(file: string): Promise<void> {
  const fd = await openFile(file, "r+");
  try {
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
}
