import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { LruMap } from "../../base/lru-map.ts";
import type {
  ArtifactName,
  ArtifactQuery,
  ArtifactRefs,
  FoundArtifact,
  Generation,
  ListedArtifact,
} from "../artifact-refs.ts";
import type { Ref, Space } from "../ref-store.ts";
import {
  artifactConditions,
  behind,
  type Condition,
  elementConditions,
  keyBegins,
  orders,
  searchedName,
} from "./artifact-filter.ts";
import { decodeContent } from "./ref-change.ts";
import { type RefColumns, refColumns, refOfRow } from "./ref-reader.ts";
import { fromSqlite } from "./sqlite-error.ts";

const columns = "a.id, a.instance, e.project, e.element, a.generation, a.content, a.pushed, a.put_by";

/** In the order of the puts: within one, the strong key comes first. */
const keyOrder = "stored, place, id";

type Row = [
  id: number,
  instance: string,
  project: string,
  element: string,
  generation: Generation,
  content: string,
  pushed: number,
  by: string | null,
];

/**
 * Where no more artifacts than this can be meant, they are gathered and sorted; else the list is read in its order until a page is full. What
 * is rare is found at once so, and what is frequent soon.
 */
const maxGathered = 2000;

/** Statements that are kept: each combination of conditions is one. */
const maxStatements = 100;

/** Reads the list of artifacts (`artifact-tables.ts`). */
export class ArtifactReader implements ArtifactRefs {
  private readonly database: DatabaseSync;
  private readonly clock: Clock;
  private readonly statements = new LruMap<string, StatementSync>(maxStatements);

  constructor(database: DatabaseSync, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  list(query: ArtifactQuery): ListedArtifact[] {
    return this.reading(() => {
      const gathered = this.gather(query);
      if (gathered?.length === 0) return [];
      const { instance, sort, limit } = query;
      const conditions: Condition[] = [
        // Where the ids are known, the plus sign keeps SQLite from going through all artifacts in order.
        { sql: `${sort === "name" ? "e" : gathered === undefined ? "a" : "+a"}.instance = ?`, values: [instance] },
        { sql: "(a.expires IS NULL OR a.expires > ?)", values: [this.clock()] },
        ...artifactConditions(query),
        ...behind(query),
      ];
      if (gathered !== undefined)
        conditions.push({ sql: "a.id IN (SELECT value FROM json_each(?))", values: [JSON.stringify(gathered)] });
      const tables = sort === "name" ? "elements e CROSS JOIN artifacts a" : "artifacts a CROSS JOIN elements e";
      const rows = this.all<Row>(
        `SELECT ${columns} FROM ${tables} ON e.id = a.element WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}
         ORDER BY ${orders[sort]} LIMIT ?`,
        [...conditions.flatMap(({ values }) => values), limit],
      );
      return rows.map((row) => listed(row, this.keysOf(row[0])));
    });
  }

  find(instance: string, { project, element, key }: ArtifactName): FoundArtifact | undefined {
    return this.reading(() => {
      const [row] = this.all<Row>(
        `SELECT ${columns} FROM refs k JOIN artifacts a ON a.id = k.artifact JOIN elements e ON e.id = a.element
         WHERE substr(k.key, 1, 8) = substr(?1, 1, 8) AND k.key = ?1 AND e.instance = ?2 AND e.project = ?3 AND e.element = ?4
           AND (a.expires IS NULL OR a.expires > ?5)
         ORDER BY a.pushed DESC, a.id DESC LIMIT 1`,
        [key, instance, project, element, this.clock()],
      );
      return row && { ...listed(row, this.keysOf(row[0])), refs: this.refsOf(row[0]) };
    });
  }

  count(instance: string): number {
    const [row] = this.reading(() =>
      this.all<[number]>("SELECT count(*) FROM artifacts WHERE instance = ?", [instance]),
    );
    return row?.[0] ?? 0;
  }

  /** The artifacts that a query can mean, where they are few; `undefined` where they are not, or cannot be told. */
  private gather(query: ArtifactQuery): number[] | undefined {
    const { instance, key, search } = query;
    if (key) return this.withKey(key) ?? this.ofElements(instance, elementConditions(query));
    if (search === undefined) return this.ofElements(instance, elementConditions(query));
    const byName = this.ofElements(instance, [...elementConditions(query), searchedName(search)]);
    const byKey = search.key === undefined ? [] : this.withKey(search.key);
    return byName && byKey && [...byName, ...byKey];
  }

  private withKey(prefix: string): number[] | undefined {
    const { sql, values } = keyBegins(prefix);
    const distinct = `SELECT DISTINCT k.artifact FROM refs k WHERE ${sql} LIMIT ?`;
    return few(this.all<[number]>(distinct, [...values, maxGathered + 1]));
  }

  private ofElements(instance: string, conditions: readonly Condition[]): number[] | undefined {
    if (conditions.length === 0) return undefined;
    const sql = `SELECT a.id FROM elements e CROSS JOIN artifacts a ON a.element = e.id
      WHERE e.instance = ? AND ${conditions.map((each) => each.sql).join(" AND ")} LIMIT ?`;
    const values = [instance, ...conditions.flatMap((each) => each.values), maxGathered + 1];
    return few(this.all<[number]>(sql, values));
  }

  private keysOf(artifact: number): string[] {
    return this.all<[string]>(`SELECT key FROM refs WHERE artifact = ? ORDER BY ${keyOrder}`, [artifact]).map(
      ([key]) => key,
    );
  }

  private refsOf(artifact: number): Ref[] {
    const sql = `SELECT ${refColumns}, space, instance, name FROM refs WHERE artifact = ? ORDER BY ${keyOrder}`;
    return this.all<[...RefColumns, Space, string, string]>(sql, [artifact]).map((row) => {
      const [space, instance, name] = row.slice(-3) as [Space, string, string];
      return refOfRow({ space, instance, name }, row.slice(0, -3) as RefColumns);
    });
  }

  private all<R>(sql: string, values: readonly SQLInputValue[]): R[] {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      this.statements.set(sql, statement);
    }
    return statement.all(...values) as unknown as R[];
  }

  private reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw fromSqlite(error, "cannot read the list of artifacts");
    }
  }
}

function few(rows: readonly [number][]): number[] | undefined {
  return rows.length <= maxGathered ? rows.map(([id]) => id) : undefined;
}

function listed(
  [id, instance, project, element, generation, content, pushed, by]: Row,
  keys: string[],
): ListedArtifact {
  return {
    ...{ id, instance, project, element, generation, pushed, keys },
    content: decodeContent(content),
    by: by ?? undefined,
  };
}
