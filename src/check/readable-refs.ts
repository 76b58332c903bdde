import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Space } from "../store/ref-store.ts";
import { rowsOnPages } from "./sqlite-pages.ts";

/** A row of `refs` as it could be read. */
export interface SalvagedRow {
  readonly id: number;
  readonly space: Space;
  readonly instance: string;
  readonly name: string;
  readonly message: Uint8Array;
  readonly roots: string;
  readonly stored: number;
  readonly expires: number | null;
  readonly by: string | null;
  /** All columns by their names. */
  readonly columns: Record<string, SQLInputValue>;
}

const spaces: readonly unknown[] = ["action", "asset", "reference", "ostree", "release"];

/** Beyond this no id is looked for where the last one cannot be read: more refs than any store has had. */
const farthest = 2 ** 40;

/** Columns of the first format: a row with fewer is of another table. */
const leastColumns = 10;

/**
 * The rows of `refs` that can be read although the file is damaged: first those that SQLite finds, one by one; then, where it could not find all, what stands
 * on the pages, among which the first ones are again. Afterwards, the names that an index has and no row was found for.
 */
export function readableRefs(
  database: DatabaseSync,
  file: string,
  columns: readonly string[],
): { rows: Iterable<SalvagedRow>; lost: () => string[] } {
  const absent = new Absent(database);
  return { rows: rows(database, absent, file, columns), lost: () => [...absent.names().values()] };
}

function* rows(
  database: DatabaseSync,
  absent: Absent,
  file: string,
  columns: readonly string[],
): Generator<SalvagedRow> {
  const state = { whole: true };
  const byId = attempt(() => database.prepare("SELECT * FROM refs WHERE id = ?"));
  const ids = byId === undefined ? [] : idsOnce(idsInTable(database, state), absent);
  for (const id of ids) {
    const found = attempt(() => byId?.get(id));
    const row = found && rowOf(found as Record<string, SQLInputValue>);
    if (row === undefined) continue;
    absent.ids.delete(id);
    yield row;
  }
  if (byId !== undefined && state.whole && absent.ids.size === 0) return;
  const names = absent.names();
  for (const found of rowsOnPages(file, columns, leastColumns)) {
    const row = rowOf(found);
    if (row === undefined) continue;
    if (names.get(row.id) === `${row.space} ${row.instance} ${row.name}`) absent.ids.delete(row.id);
    yield row;
  }
}

/** The ids in the table itself. Where a page of it cannot be read, the search goes on behind it. */
function* idsInTable(database: DatabaseSync, state: { whole: boolean }): Generator<number> {
  const after = attempt(() => database.prepare("SELECT id FROM refs WHERE id > ? ORDER BY id LIMIT 1"));
  if (after === undefined) {
    state.whole = false;
    return;
  }
  const next = (at: number): number | undefined | "unreadable" => {
    try {
      return after.get(at)?.id as number | undefined;
    } catch {
      return "unreadable";
    }
  };
  for (let at = 0; ; ) {
    let id = next(at);
    if (id === "unreadable") {
      state.whole = false;
      at = firstReadable(next, at);
      id = next(at);
    }
    if (id === undefined || id === "unreadable") return;
    yield id;
    at = id;
  }
}

/** The smallest number from which on there is something to be read again, when nothing is from `from` on. */
function firstReadable(next: (at: number) => number | undefined | "unreadable", from: number): number {
  let step = 1;
  while (from + step < farthest && next(from + step) === "unreadable") step *= 2;
  let [bad, good] = [from + Math.floor(step / 2), from + step];
  while (good - bad > 1) {
    const middle = Math.floor((bad + good) / 2);
    if (next(middle) === "unreadable") bad = middle;
    else good = middle;
  }
  return good;
}

/** Each id once: those that the table has, then those that only the index has. */
function* idsOnce(inTable: Iterable<number>, { ids }: Absent): Generator<number> {
  const others = new Set(ids);
  for (const id of inTable) {
    others.delete(id);
    yield id;
  }
  yield* others;
}

/** What the index of names has, as far as it can be read, from either end, and no row was found for yet. Of those that are found the names are not kept: there may be millions. */
class Absent {
  readonly ids = new Set<number>();
  private readonly database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.each("id", (row) => this.ids.add(Number(row.id)));
  }

  names(): Map<number, string> {
    const names = new Map<number, string>();
    if (this.ids.size === 0) return names;
    this.each("id, space, instance, name", ({ id, space, instance, name }) => {
      if (this.ids.has(Number(id))) names.set(Number(id), `${space} ${instance} ${name}`);
    });
    return names;
  }

  private each(columns: string, take: (row: Record<string, unknown>) => void): void {
    for (const order of ["ASC", "DESC"]) {
      attempt(() => {
        const sql = `SELECT ${columns} FROM refs INDEXED BY sqlite_autoindex_refs_1
          ORDER BY space ${order}, instance ${order}, name ${order}`;
        for (const row of this.database.prepare(sql).iterate()) take(row);
      });
    }
  }
}

/** A row that is what a row has to be. */
function rowOf(columns: Record<string, SQLInputValue>): SalvagedRow | undefined {
  const { id, space, instance, name, message, roots, stored, used, expires, put_by: by } = columns;
  const isTime = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value);
  if (!isTime(id) || !isTime(stored) || !isTime(used) || !(expires === null || isTime(expires))) return undefined;
  if (!spaces.includes(space) || typeof instance !== "string" || typeof name !== "string") return undefined;
  if (!(message instanceof Uint8Array) || typeof roots !== "string") return undefined;
  const known = { id, space: space as Space, instance, name, message, roots, stored, expires };
  return { ...known, by: typeof by === "string" ? by : null, columns };
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
