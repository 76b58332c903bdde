import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Space } from "../store/ref-store.ts";

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

/** The rows of `refs` that SQLite can read although the file is damaged, one by one; afterwards, the names of those that it cannot. */
export function readableRefs(database: DatabaseSync): { rows: Iterable<SalvagedRow>; lost: () => string[] } {
  const names = namesByIndex(database);
  return { rows: rows(database, names), lost: () => [...names.values()] };
}

function* rows(database: DatabaseSync, names: Map<number, string>): Generator<SalvagedRow> {
  const byId = attempt(() => database.prepare("SELECT * FROM refs WHERE id = ?"));
  if (byId === undefined) return;
  const ids = new Set([...idsInTable(database), ...names.keys()]);
  for (const id of ids) {
    const columns = attempt(() => byId.get(id));
    const row = columns && rowOf(columns as Record<string, SQLInputValue>);
    if (row === undefined) continue;
    names.delete(id);
    yield row;
  }
}

/** The ids in the table itself. Where a page of it cannot be read, the search goes on behind it. */
function* idsInTable(database: DatabaseSync): Generator<number> {
  const after = attempt(() => database.prepare("SELECT id FROM refs WHERE id > ? ORDER BY id LIMIT 1"));
  if (after === undefined) return;
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

/** What the index of names has, as far as it can be read, from either end. */
function namesByIndex(database: DatabaseSync): Map<number, string> {
  const names = new Map<number, string>();
  for (const order of ["ASC", "DESC"]) {
    attempt(() => {
      const sql = `SELECT id, space, instance, name FROM refs INDEXED BY sqlite_autoindex_refs_1
        ORDER BY space ${order}, instance ${order}, name ${order}`;
      for (const { id, space, instance, name } of database.prepare(sql).iterate()) {
        names.set(Number(id), `${space} ${instance} ${name}`);
      }
    });
  }
  return names;
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
