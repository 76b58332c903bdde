import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { ListedRef, RefFilter, RefGroup, RefRoots, RefsSize } from "../ref-admin.ts";
import type { Space } from "../ref-store.ts";
import { eachRoot } from "./root-lines.ts";
import { fromSqlite } from "./sqlite-error.ts";
import { bytesOf } from "./sqlite-files.ts";

/** Refs that are read at a time. */
const pageRefs = 200;

type RootsRow = [space: Space, instance: string, name: string, roots: string, message: Uint8Array | null];
type ListedRow = [id: number, name: string, stored: number, used: number, expires: number | null, by: string | null];
type CountRow = [space: Space, instance: string, pinned: number, refs: number];

/** Reads what `RefAdmin` tells, but for the order. */
export class RefLists {
  private readonly file: string;
  private readonly database: DatabaseSync;
  private readonly byId: StatementSync;
  private readonly page: StatementSync;
  private readonly counts: StatementSync;
  private readonly oldest: StatementSync;

  constructor(file: string, database: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.file = file;
    this.database = database;
    this.byId = prepare(`
      SELECT space, instance, name, roots, CASE space WHEN 'reference' THEN message END FROM refs WHERE id = ?`);
    this.page = prepare(`
      SELECT id, name, stored, used, expires, put_by FROM refs INDEXED BY refs_by_use
      WHERE instance = ?1 AND space = ?2 AND pinned = ?3 AND used <= ?4 AND (used < ?4 OR id > ?5)
      ORDER BY used DESC, id LIMIT ${pageRefs}`);
    this.counts = prepare("SELECT space, instance, pinned, refs FROM counts WHERE refs > 0");
    this.oldest = prepare("SELECT min(used) FROM refs WHERE instance = ? AND space = ? AND pinned = 0");
  }

  *rootsOf(ids: Iterable<number>): Generator<RefRoots, void> {
    for (const id of ids) {
      const [row] = this.all<RootsRow>(this.byId, id);
      if (row === undefined) continue;
      const [space, instance, name, roots, message] = row;
      const each = { [Symbol.iterator]: () => eachRoot(roots) };
      yield { id, space, instance, name, roots: each, message: message ?? undefined };
    }
  }

  *list({ space, instance, pinned }: RefFilter): Generator<ListedRef, void> {
    const meant = this.all<CountRow>(this.counts).filter(
      (row) => (space ?? row[0]) === row[0] && (instance ?? row[1]) === row[1] && Number(pinned ?? row[2]) === row[2],
    );
    meant.sort((a, b) => compare(a[1], b[1]) || compare(a[0], b[0]) || b[2] - a[2]);
    for (const [space, instance, pinned] of meant) yield* this.listGroup(space, instance, pinned);
  }

  groups(): RefGroup[] {
    const found = new Map<string, RefGroup>();
    for (const [space, instance, pinned, refs] of this.all<CountRow>(this.counts)) {
      const name = `${space} ${instance}`;
      const before = found.get(name);
      const oldestUse = before?.oldestUse ?? this.oldestOf(space, instance);
      const counted = { refs: refs + (before?.refs ?? 0), pinned: (pinned === 0 ? 0 : refs) + (before?.pinned ?? 0) };
      found.set(name, { space, instance, ...counted, oldestUse });
    }
    return [...found.values()];
  }

  size(): RefsSize {
    const number = (sql: string): number => Object.values(this.database.prepare(sql).get() ?? {})[0] as number;
    const [pages, freePages, pageBytes] = ["page_count", "freelist_count", "page_size"].map((name) =>
      number(`PRAGMA ${name}`),
    ) as [number, number, number];
    return { bytes: bytesOf(this.file), free: freePages * pageBytes, taken: (pages - freePages) * pageBytes };
  }

  private *listGroup(space: Space, instance: string, pinned: number): Generator<ListedRef, void> {
    let [before, after] = [Number.MAX_SAFE_INTEGER, -1];
    for (;;) {
      const rows = this.all<ListedRow>(this.page, instance, space, pinned, before, after);
      for (const [id, name, stored, used, expires, by] of rows) {
        yield {
          ...{ id, space, instance, name, pinned: pinned !== 0, stored, used },
          ...{ expires: expires ?? undefined, by: by ?? undefined },
        };
        [before, after] = [used, id];
      }
      if (rows.length < pageRefs) return;
    }
  }

  private oldestOf(space: Space, instance: string): number | undefined {
    return this.all<[number | null]>(this.oldest, instance, space)[0]?.[0] ?? undefined;
  }

  private all<R>(statement: StatementSync, ...values: SQLInputValue[]): R[] {
    try {
      return statement.all(...values) as unknown as R[];
    } catch (error) {
      throw fromSqlite(error, "cannot read refs");
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
